-- Appends a batch of commands, each decided on what the one before it left.
--
-- Begins with the text of current_items.lua: `state_of` and `apply`, KEYS[1] to KEYS[3], ARGV[1].
--   KEYS[4]  this writer's last batch: its number, a line feed, its reply
--   ARGV[2]  the number of this batch
--   ARGV[3]  how long the writer is remembered, in milliseconds
--   ARGV[4]  how long an idempotency key is remembered, in milliseconds
--   then seven for each command:
--     the item
--     the event type if it does not exist, if it does; empty: there is nothing to do it to
--     the expected version: + or - (absent is admitted, is not), then = or ! (one of these
--       versions, none of them), then the versions, a comma before, between and after
--     the body, empty on a delete
--     the meta
--     empty, or the fingerprint of a request, a space, the key that remembers its outcome
-- Reply: a line for each command,
--   <event type> <version> <position>     appended
--   refused <version>                     not appended; the item exists, at this version
--   refused -<version>                    not appended; deleted at this version, -0: never existed
--   known                                 not appended; the idempotency key has an outcome
--   broken                                not appended; its row or its history can't be read
--
-- A batch that this writer sent before gets the reply it had, and an older one is refused.

local FIRST, EACH = 5, 7

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
    redis.call('SET', key, fingerprint .. ' ' .. line, 'PX', ARGV[4])
  end
end

local remembered = redis.call('GET', KEYS[4])
if remembered then
  local number, reply = string.match(remembered, '^(%d+)\n(.*)$')
  if number == ARGV[2] then
    redis.call('PEXPIRE', KEYS[4], ARGV[3]) -- a write, for a WAIT on a new connection to wait for
    return reply
  elseif tonumber(number) > tonumber(ARGV[2]) then
    return redis.error_reply('STALEBATCH this writer has sent a later batch')
  end
end

-- A failing script keeps what it wrote, so all that can fail comes before the first write: these
-- raise WRONGTYPE where a key holds something else.
redis.call('XLEN', KEYS[1])
redis.call('HLEN', KEYS[2])
redis.call('ZCARD', KEYS[3])

local lines = {}
local appended = false
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
    appended = true
    line = event_type .. ' ' .. version .. ' ' .. position
    remember(idempotency, line)
  else
    line = 'refused ' .. (exists and '' or '-') .. version
  end
  lines[#lines + 1] = line
end

local reply = table.concat(lines, '\n')
if appended then
  redis.call('SET', KEYS[4], ARGV[2] .. '\n' .. reply, 'PX', ARGV[3])
end
return reply
