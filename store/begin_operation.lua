-- Writes down a new operation of the store, unless one is running.
--   KEYS[1]  the lease of the one that runs: its id, and after a blank who cancels it
--   KEYS[2]  the operations: a hash from id to what is known of each, JSON
--   ARGV[1]  the id of the new one; later ones are greater
--   ARGV[2]  what is known of it
--   ARGV[3]  for how many milliseconds it is taken to be running, unless it says so again
--   ARGV[4]  how many older ones are kept
-- Reply: the id of the one that runs, the new one's where none did.

local running = redis.call('GET', KEYS[1])
if running then
  return string.match(running, '^%S*')
end
local ids = redis.call('HKEYS', KEYS[2])
table.sort(ids)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
for place = 1, #ids - tonumber(ARGV[4]) do
  redis.call('HDEL', KEYS[2], ids[place])
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return ARGV[1]
