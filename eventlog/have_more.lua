-- Which logs have something after a position.
--
-- Begins with the text of entries.lua.
--   KEYS     the logs
--   ARGV[1]  how many bytes of entries to look at: one more is looked at, and no log after it
--   then a position for each log
-- Reply: how many logs were looked at, at least one, and the numbers, from 1, of those that have
-- something. One that can't be read counts as such: who reads it is told why.

local most, bytes, looked, found = tonumber(ARGV[1]), 0, 0, {}
while looked < #KEYS and bytes <= most do
  looked = looked + 1
  local entries = redis.pcall('XRANGE', KEYS[looked], '(' .. ARGV[looked + 1], '+', 'COUNT', 1)
  if entries.err or entries[1] then
    found[#found + 1] = looked
  end
  if entries[1] then
    bytes = bytes + size_of(entries[1][2])
  end
end
return { looked, unpack(found) }
