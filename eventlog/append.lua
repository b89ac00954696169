-- Appends a batch of commands, each decided on what the one before it left.
--
-- Begins with the text of apply.lua: KEYS[1] to KEYS[3], ARGV[1].
--   KEYS[4]  this writer's last batch: its number, a line feed, its reply
--   ARGV[2]  the number of this batch
--   ARGV[3]  the time after which it is late, by the engine's clock, in milliseconds since 1970
--   ARGV[4]  how long the writer is remembered, in milliseconds
--   ARGV[5]  how long an idempotency key is remembered, in milliseconds
--   then four for each command:
--     the item
--     what is to happen, with blanks in between:
--       the event type if the item does not exist, if it does; empty: there is nothing to do it to
--       the expected version: + or - (absent is admitted, is not), then = or ! (one of these
--         versions, none of them), then the versions, a comma before, between and after
--       nothing, or the fingerprint of a request, and the key that remembers its outcome
--     the body, empty on a delete
--     the meta
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

local FIRST, EACH, ANY = 6, 4, '+!,'

local function admits(expected, exists, version)
  if expected == ANY then
    return true
  elseif not exists then
    return string.sub(expected, 1, 1) == '+'
  end
  local listed = string.find(expected, ',' .. version .. ',', 3, true) ~= nil
  return listed == (string.sub(expected, 2, 2) == '=')
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
  local number = string.match(remembered, '^%d+')
  if number == ARGV[2] then
    return remember_batch(string.sub(remembered, #number + 2))
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

-- A command of the batch: what kind of thing is to happen is mostly the same as in the one before.
local wish, if_absent, if_present, expected, fingerprint, key
local function read_wish(text)
  if text ~= wish then
    wish = text
    if_absent, if_present, expected, fingerprint, key =
      string.match(text, '^(%S*) (%S*) (%S*) ?(%x*) ?(.*)$')
  end
end

-- A failing script keeps what it wrote, so all that can fail comes before the first write: these
-- raise WRONGTYPE where a key holds something else, and so does what reads the rows.
redis.call('XLEN', KEYS[1])
redis.call('ZCARD', KEYS[3])
local items, is_known = {}, {}
for i = FIRST, #ARGV, EACH do
  items[#items + 1] = ARGV[i]
  read_wish(ARGV[i + 1])
  if key ~= '' then
    is_known[key] = redis.call('EXISTS', key) == 1
  end
end
local sound = sound_rows(items)
local refusal = items[1] and refusal_of(items[1], { KEYS[4], (next(is_known)) })
if refusal then
  return refusal
end

local lines = {}
for n, item in ipairs(items) do
  local i = FIRST + EACH * (n - 1)
  read_wish(ARGV[i + 1])
  local version, exists, created = read_row(rows[item] or sound[n])
  local event_type = exists and if_present or if_absent
  local line
  if is_known[key] then
    line = 'known'
  elseif not version then
    line = 'broken'
  elseif event_type ~= '' and admits(expected, exists, version) then
    local data, meta = ARGV[i + 2], ARGV[i + 3]
    version = string.format('%d', version + 1)
    local position = redis.pcall('XADD', KEYS[1], '*',
      'type', event_type, 'item', item, 'version', version, 'data', data, 'meta', meta)
    if type(position) ~= 'string' then  -- none is left: what came before it is kept whole
      write_items()
      return position
    end
    apply(event_type, item, version, position, created, data)
    line = event_type .. ' ' .. version .. ' ' .. position
    if key ~= '' then  -- in the same step; a refusal is not remembered, as it changed nothing
      redis.call('SET', key, fingerprint .. ' ' .. line, 'PX', ARGV[5])
      is_known[key] = true
    end
  else
    line = 'refused ' .. (exists and '' or '-') .. version
  end
  lines[n] = line
end
write_items()

return remember_batch(table.concat(lines, '\n'))
