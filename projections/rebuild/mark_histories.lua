-- Marks live histories that are longer than they should be, or of no item: a page of all keys.
-- The ones that lack something were marked when it was replayed.
--
-- Begins with apply.lua, replay.lua and catch_up.lua.
--   ARGV[8]  the pattern of the keys of live histories
--   ARGV[9]  the cursor, 0 at first
--   ARGV[10] about how many keys to look at
-- Reply: the next cursor, 0 at the end; bytes of the rows that it read.

if at_end then
  local page, bytes = redis.call('SCAN', ARGV[9], 'MATCH', ARGV[8], 'COUNT', ARGV[10]), 0
  for _, key in ipairs(page[2]) do
    local item = string.sub(key, #ARGV[2] + 1)
    local version, _, _, size = state_of(item)
    bytes = bytes + size
    if redis.pcall('LLEN', key) ~= version and not is_marked(item) then
      any_wrong = true
      mark_wrong(item, version)
    end
  end
  reply[6], reply[7] = page[1], bytes
end
return reply
