-- Notes how an operation ended, and makes room for the next.
--   KEYS[1]  the lease of the one that runs: its id, and after a blank who cancels it
--   KEYS[2]  the operations: a hash from id to what is known of each, JSON
--   ARGV[1]  the id of the operation
--   ARGV[2]  what is known of it

local held = redis.call('GET', KEYS[1])
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
if held and string.match(held, '^%S*') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 1
