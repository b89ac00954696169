-- What an event does to the current items.
--
-- The append script, the import and the replay begin with this text, so that a write and a rebuild
-- can't come apart. It takes no key and no argument itself.
--
-- A row is JSON text with its keys always in this order:
--   {"version":3,"position":"<ms>-<seq>","created":"<ms>-<seq>","data":<body>}
--   {"version":4,"position":"<ms>-<seq>","created":"<ms>-<seq>","deleted":true}
-- Bodies are never decoded: cjson would turn [] into {} and big integers into floats.

-- A collection that a call works on.
--   events     its log                      stream
--   current    its current items            hash    id -> row
--   ids        the ids of existing items    zset    all scores 0
--   histories  in front of an id: the key of its history, a list of positions
-- What the call leaves and write_items writes:
--   rows       the rows by item
--   listed     of items that begin or cease to exist, whether they do
local function collection_of(events, current, ids, histories)
  return {
    events = events, current = current, ids = ids, histories = histories, rows = {}, listed = {},
  }
end

-- What a row says: version (0: never existed, nil: not a row), whether the item exists, position
-- of its creation, bytes of the row.
local function read_row(row)
  if not row then
    return 0, false, nil, 0
  end
  local version, created, kind =
    string.match(row, '^{"version":(%d+),"position":"[%d-]+","created":"([%d-]+)","(%l+)":')
  return tonumber(version), kind == 'data', created, #row
end

-- The position of a row: that of the item's last event.
local function position_of(row)
  return string.match(row, '^{"version":%d+,"position":"([%d-]+)"')
end

-- The rows of items, or as much of each as read_row looks at; false where there is none. Empty, which
-- is no row, where nothing can be appended: the history is no list, so that RPUSH would fail after
-- XADD, or it is there without a row, so that the item would begin again at version 1 and no rebuild
-- could mend the log. With pcall: what is wrong with the keys of one item stops no other.
--
-- Some at a time, one where they are large, and no more of them is kept: each can be as large as a
-- body, and many such rows in one reply take four times as long as one by one.
local function sound_rows(collection, items)
  local MOST, LARGE, HEAD = 16, 64 * 1024, 256
  local sound, first, at_once = {}, 1, 4
  while first <= #items do
    local last, bytes = math.min(first + at_once - 1, #items), 0
    local some = redis.call('HMGET', collection.current, unpack(items, first, last))
    for i = first, last do
      local row = some[i - first + 1]
      bytes = bytes + (row and #row or 0)
      local length = redis.pcall('LLEN', collection.histories .. items[i])
      if type(length) == 'table' and string.find(tostring(length.err), 'non local key', 1, true) then
        error(length)  -- it has moved to another node of a cluster before the rest of the slot
      elseif type(length) ~= 'number' or (length > 0 and not row) then
        row = ''
      end
      sound[i] = row and #row > HEAD and string.sub(row, 1, HEAD) or row
    end
    first, at_once = last + 1, bytes > LARGE and 1 or math.min(4 * at_once, MOST)
  end
  return sound
end

-- An error where the engine's user may not run one of the commands that an event needs: a script that
-- fails keeps what it wrote, an event without its history then. 3 µs a call. A fake has no such check.
local function refusal_of(collection, item)
  local may = redis.acl_check_cmd
  local lacking = may and (
    not may('XADD', collection.events, '*', 'a', 'b') and 'XADD'
    or not may('HSET', collection.current, 'a', 'b') and 'HSET'
    or not may('ZADD', collection.ids, '0', 'a') and 'ZADD'
    or not may('ZREM', collection.ids, 'a') and 'ZREM'
    or not may('RPUSH', collection.histories .. item, 'a') and 'RPUSH')
  return lacking and redis.error_reply('NORIGHT ' .. lacking)
end

-- The same where it may not SET one of some keys.
local function refusal_to_set(...)
  for _, key in ipairs({ ... }) do
    if redis.acl_check_cmd and not redis.acl_check_cmd('SET', key, 'a', 'PX', '1') then
      return redis.error_reply('NORIGHT SET')
    end
  end
end

-- the row that an event leaves; `created` is the position of the item's creation
local function row_of(event_type, version, position, created, data)
  local head = '{"version":' .. version .. ',"position":"' .. position .. '","created":"' .. created
  if event_type == 'ItemDeleted' then
    return head .. '","deleted":true}'
  end
  return head .. '","data":' .. data .. '}'
end

-- Applies an event, but for what write_items writes. The position of the item's creation.
local function apply(collection, event_type, item, version, position, created, data)
  if event_type == 'ItemCreated' then
    created, collection.listed[item] = position, true
  elseif event_type == 'ItemDeleted' then
    collection.listed[item] = false
  end
  collection.rows[item] = row_of(event_type, version, position, created, data)
  redis.call('RPUSH', collection.histories .. item, position)
  return created
end

-- One command for many items takes a third of the time of one for each.
local function in_parts(arguments, write)
  local MOST = 1000
  for i = 1, #arguments, MOST do
    write(unpack(arguments, i, math.min(i + MOST - 1, #arguments)))
  end
end

local function write_items(collection)
  local set, add, remove = {}, {}, {}
  for item, row in pairs(collection.rows) do
    set[#set + 1], set[#set + 2] = item, row
  end
  for item, is_listed in pairs(collection.listed) do
    if is_listed then
      add[#add + 1], add[#add + 2] = 0, item
    else
      remove[#remove + 1] = item
    end
  end
  in_parts(set, function(...) redis.call('HSET', collection.current, ...) end)
  in_parts(add, function(...) redis.call('ZADD', collection.ids, ...) end)
  in_parts(remove, function(...) redis.call('ZREM', collection.ids, ...) end)
end
