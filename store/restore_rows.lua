-- Writes rows of items as some events left them, without their histories: what is older than the
-- events in the engine. It can be done again at any time.
--
-- Begins with the text of apply.lua.
--   KEYS[1]  what is restored, and how far: a hash
--   KEYS[2]  the current items
--   KEYS[3]  the ids
--   ARGV[1]  the position up to which all is written before
--   ARGV[2]  the position up to which it is after it, empty where there is more to write
--   then five for each item, once each:
--     item, version, the position of its last event
--     the position of its creation, empty where that came before
--     body, empty where the last event deleted it
-- Reply: 1; an error, and nothing written, where it stands elsewhere: another restore goes on.

local EACH = 5

if redis.call('HGET', KEYS[1], 'done') ~= ARGV[1] then
  return redis.error_reply('RESTOREMOVED')
end
local here = collection_of(nil, KEYS[2], KEYS[3], nil)
for i = 3, #ARGV, EACH do
  local item, version, position, created, data = unpack(ARGV, i, i + EACH - 1)
  local known, is_listed, created_before = read_row(redis.call('HGET', KEYS[2], item))
  if tonumber(version) > known then
    created = created ~= '' and created or created_before or position
    here.rows[item] = row_of(data == '' and 'ItemDeleted' or 'ItemUpdated', version, position,
      created, data)
    if is_listed ~= (data ~= '') then
      here.listed[item] = data ~= ''
    end
  end
end
write_items(here)
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'done', ARGV[2])
end
return 1
