-- Appends a batch of commands, each decided on what the one before it left.
--
-- Begins with the text of apply.lua: `state_of` and `apply`, KEYS[1] to KEYS[3], ARGV[1].
--   KEYS[4]  this writer's last batch: its number, a line feed, its reply
--   ARGV[2]  the number of this batch
--   ARGV[3]  the time after which it is late, by the engine's clock, in milliseconds since 1970
--   ARGV[4]  how long the writer is remembered, in milliseconds
--   ARGV[5]  how long an idempotency key is remembered, in milliseconds
--   then seven for each command:
--     the item
--     the event type if it does not exist, if it does; empty: there is nothing to do it to
--     the expected version: + or - (absent is admitted, is not), then = or ! (one of these
--       versions, none of them), then the versions, a comma before, between and after
--     the body, empty on a delete
--     the meta
--     empty, or the fingerprint of a request, a space, the key that remembers its outcome
-- Reply: the engine's time, in milliseconds since 1970; then `late` alone, where the time of the batch
-- is over and it is never carried out; else a line for each command,
--   <event type> <version> <position>     appended
--   refused <version>                     not appended; the item exists, at this version
--   refused -<version>                    not appended; deleted at this version, -0: never existed
--   known                                 not appended; the idempotency key has an outcome
--   broken                                not appended; its row or its history can't be read
--
-- A batch that this writer sent before gets the reply it had, also where that was `late` or nothing
-- but refusals, and an older one is refused. So a copy of it that comes later changes nothing.

local FIRST, EACH = 6, 7

local function admits(expected, exists, version)
  if not exists then
    return string.sub(expected, 1, 1) == '+'
  end
  local listed = string.find(expected, ',' .. version .. ',', 3, true) ~= nil
  return listed == (string.sub(expected, 2, 2) == '=')
end

-- Without its row, an item that has a history would begin again at version 1, and no rebuild could
-- mend the log. With pcall: what is wrong with the keys of one item stops no other.
local function is_sound(item, version)
  local length = redis.pcall('LLEN', ARGV[1] .. item)
  return version ~= nil and type(length) == 'number' and (version > 0 or length == 0)
end

-- The outcome is remembered in the same step; a refusal is not, as it changed nothing.
local function is_known(idempotency)
  return idempotency ~= '' and redis.call('EXISTS', string.sub(idempotency, 66)) == 1
end

local function remember(idempotency, line)
  if idempotency ~= '' then
    local fingerprint, key = string.sub(idempotency, 1, 64), string.sub(idempotency, 66)
    redis.call('SET', key, fingerprint .. ' ' .. line, 'PX', ARGV[5])
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A write in any case, so that a WAIT after it has something to wait for. Where nothing was appended
-- it may be the first of this call, and fail: then the answer of an engine without memory is still
-- true, that of a replica need not be.
local function remember_batch(lines)
  local set = redis.pcall('SET', KEYS[4], ARGV[2] .. '\n' .. lines, 'PX', ARGV[4])
  if type(set) == 'table' and set.err and not string.find(set.err, 'OOM', 1, true) then
    return set
  end
  return string.format('%.0f', now) .. '\n' .. lines
end

local remembered = redis.call('GET', KEYS[4])
if remembered then
  local number, lines = string.match(remembered, '^(%d+)\n(.*)$')
  if number == ARGV[2] then
    return remember_batch(lines)
  elseif tonumber(number) > tonumber(ARGV[2]) then
    return redis.error_reply('STALEBATCH')
  end
end

-- Where the clock was put back since it was shown to the writer, a copy could be carried out for
-- longer than the batch is remembered: it is late as well, and the writer sees the time by that.
local left = tonumber(ARGV[3]) - now
if left < 0 or left > tonumber(ARGV[4]) then
  return remember_batch('late')
end

-- A failing script keeps what it wrote, so all that can fail comes before the first write: these
-- raise WRONGTYPE where a key holds something else.
redis.call('XLEN', KEYS[1])
redis.call('HLEN', KEYS[2])
redis.call('ZCARD', KEYS[3])
if #ARGV >= FIRST then
  local others = { { 'SET', KEYS[4], 'a', 'PX', '1' } }
  if ARGV[FIRST + 6] ~= '' then
    others[2] = { 'SET', string.sub(ARGV[FIRST + 6], 66), 'a', 'PX', '1' }
  end
  local refusal = refusal_of(ARGV[FIRST], others)
  if refusal then
    return refusal
  end
end

local lines = {}
for i = FIRST, #ARGV, EACH do
  local item, if_absent, if_present, expected, data, meta, idempotency =
    ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6]
  local version, exists, created = state_of(item)
  local event_type = exists and if_present or if_absent
  local line
  if is_known(idempotency) then
    line = 'known'
  elseif not is_sound(item, version) then
    line = 'broken'
  elseif event_type ~= '' and admits(expected, exists, version) then
    version = version + 1
    local position = redis.call('XADD', KEYS[1], '*',
      'type', event_type, 'item', item, 'version', version, 'data', data, 'meta', meta)
    apply(event_type, item, version, position, created, data)
    line = event_type .. ' ' .. version .. ' ' .. position
    remember(idempotency, line)
  else
    line = 'refused ' .. (exists and '' or '-') .. version
  end
  lines[#lines + 1] = line
end

return remember_batch(table.concat(lines, '\n'))
