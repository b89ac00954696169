-- What an event does to the current items.
--
-- The append script and the replay script both begin with this text, so that a write and a
-- rebuild can't come apart. Each is called with
--   KEYS[1]  the log                      stream
--   KEYS[2]  the current items            hash    id -> row
--   KEYS[3]  the ids of existing items    zset    all scores 0
--   ARGV[1]  in front of an id: the key of its history, a list of positions
--
-- A row is JSON text with its keys always in this order:
--   {"version":3,"position":"<ms>-<seq>","created":"<ms>-<seq>","data":<body>}
--   {"version":4,"position":"<ms>-<seq>","created":"<ms>-<seq>","deleted":true}
-- Bodies are never decoded: cjson would turn [] into {} and big integers into floats.

-- version (0: never existed, nil: not a row), whether the item exists, position of its creation,
-- bytes of the row
local function state_of(item)
  local row = redis.call('HGET', KEYS[2], item)
  if not row then
    return 0, false, nil, 0
  end
  local version, created, kind =
    string.match(row, '^{"version":(%d+),"position":"[%d-]+","created":"([%d-]+)","(%l+)":')
  return tonumber(version), kind == 'data', created, #row
end

-- An error where the engine's user may not run one of the commands that an event needs, and those
-- given: a script that fails keeps what it wrote, an event without its history then. 4 µs a call.
-- A fake has no such check.
local function refusal_of(item, others)
  if not redis.acl_check_cmd then
    return nil
  end
  local needed = {
    { 'XADD', KEYS[1], '*', 'a', 'b' }, { 'HSET', KEYS[2], 'a', 'b' },
    { 'ZADD', KEYS[3], '0', 'a' }, { 'ZREM', KEYS[3], 'a' }, { 'RPUSH', ARGV[1] .. item, 'a' },
    unpack(others),
  }
  for _, command in ipairs(needed) do
    if not redis.acl_check_cmd(unpack(command)) then
      return redis.error_reply('NORIGHT ' .. command[1])
    end
  end
end

-- the row that an event leaves; `created` is the position of the item's creation
local function row_of(event_type, version, position, created, data)
  local content = event_type == 'ItemDeleted' and '"deleted":true}' or '"data":' .. data .. '}'
  return '{"version":' .. version .. ',"position":"' .. position .. '","created":"' .. created ..
    '",' .. content
end

local function apply(event_type, item, version, position, created, data)
  if event_type == 'ItemCreated' then
    created = position
  end
  redis.call('HSET', KEYS[2], item, row_of(event_type, version, position, created, data))
  if event_type == 'ItemCreated' then
    redis.call('ZADD', KEYS[3], 0, item)
  elseif event_type == 'ItemDeleted' then
    redis.call('ZREM', KEYS[3], item)
  end
  redis.call('RPUSH', ARGV[1] .. item, position)
end
