-- Marks live histories of no item: a page of all keys. All others were compared before.
--
-- Begins with replay.lua, what comes before that, and catch_up.lua.
--   ARGV[8]  the pattern of the keys of live histories
--   ARGV[9]  the cursor, 0 at first
-- Reply: the next cursor, 0 at the end.

local COUNT = 1000

if at_end then
  local page, items = redis.call('SCAN', ARGV[9], 'MATCH', ARGV[8], 'COUNT', COUNT), {}
  for i, key in ipairs(page[2]) do
    items[i] = string.sub(key, #ARGV[2] + 1)
  end
  local listed = #items > 0 and redis.call('ZMSCORE', KEYS[3], unpack(items)) or {}
  for i, item in ipairs(items) do
    if not listed[i] and redis.call('HEXISTS', KEYS[2], item) == 0 and not is_marked(item) then
      mark_wrong(item, 0)
    end
  end
  reply[6], reply[7] = renewed, page[1]
end
return reply
