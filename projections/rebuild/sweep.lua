-- Removes what rebuilds have left: a page of all keys.
--   KEYS[1]  the lease of the rebuild
--   ARGV[1], ARGV[2], ARGV[3]  the lease: its value before, its value after, its lifetime in ms
--   ARGV[4]  the pattern of the keys of all rebuilds
--   ARGV[5]  the cursor, 0 at first
-- Reply: the next cursor, 0 at the end; nil, and nothing done, where the lease is somebody else's.

local COUNT = 512

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return false
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])

local page = redis.call('SCAN', ARGV[5], 'MATCH', ARGV[4], 'COUNT', COUNT)
for _, key in ipairs(page[2]) do
  redis.call('UNLINK', key)
end
return page[1]
