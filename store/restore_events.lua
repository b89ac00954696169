-- Writes events with their own positions into the logs and the histories, and applies each.
--
-- Begins with the text of apply.lua.
--   KEYS[1]  what is restored, and how far: a hash
--   then three for each collection: its log, its current items, its ids
--   ARGV[1]  the position up to which all is written before
--   ARGV[2]  the position up to which it is after it; the same for the last events of logs which end
--            before the first of those that are in the engine: what is there already is passed over
--   ARGV[3]  for each event the number of its collection, from 1, and how many values it has, with
--            blanks in between
--   then for each collection: in front of an id, the key of its history
--   then for each event, in order:
--     its position
--     its names and values: those of an event of this store, or others, which are kept in the log
-- Reply: 1; an error, and nothing written, where it stands elsewhere: another restore goes on.

if redis.call('HGET', KEYS[1], 'done') ~= ARGV[1] then
  return redis.error_reply('RESTOREMOVED')
end

local collections = {}
for k = 2, #KEYS, 3 do
  local number = #collections + 1
  collections[number] = collection_of(KEYS[k], KEYS[k + 1], KEYS[k + 2], ARGV[3 + number])
end

local TYPES = { ItemCreated = true, ItemUpdated = true, ItemDeleted = true }

-- Whether names and values from a place on are those of an event of this store.
local function is_event(i, count)
  return count == 10 and ARGV[i] == 'type' and ARGV[i + 2] == 'item' and ARGV[i + 4] == 'version'
    and ARGV[i + 6] == 'data' and ARGV[i + 8] == 'meta'
    and TYPES[ARGV[i + 1]] and string.match(ARGV[i + 5], '^[1-9]%d*$') ~= nil
end

local function is_there(here, position)
  local last = redis.call('XREVRANGE', here.events, '+', '-', 'COUNT', 1)[1]
  return last and last[1] == position
end

local i, is_tail = 4 + #collections, ARGV[1] == ARGV[2]
for number, count in string.gmatch(ARGV[3], '(%d+) (%d+)') do
  local here = collections[tonumber(number)]
  count = tonumber(count)
  if not (is_tail and is_there(here, ARGV[i])) then
    redis.call('XADD', here.events, ARGV[i], unpack(ARGV, i + 1, i + count))
    if is_event(i + 1, count) then
      local event_type, item, version, data = ARGV[i + 2], ARGV[i + 4], ARGV[i + 6], ARGV[i + 8]
      local row = here.rows[item] or redis.call('HGET', here.current, item)
      local _, _, created = read_row(row)
      apply(here, event_type, item, version, ARGV[i], created or ARGV[i], data)
    end
  end
  i = i + 1 + count
end
for _, here in ipairs(collections) do
  write_items(here)
end
redis.call('HSET', KEYS[1], 'done', ARGV[2])
return 1
