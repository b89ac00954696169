-- Removes what a rebuild has left, in bounded steps.
--   KEYS[1]                the lease of the rebuild that clears up
--   KEYS[2]                the items whose history that rebuild found wrong: a set
--   KEYS[3] and following  its other keys
--   ARGV[1], ARGV[2], ARGV[3]  the lease: its value before, its value after, its lifetime in ms
--   ARGV[4]                in front of an id: the key of its shadow history
-- Reply: how many items are still in the set; with 0 all is removed. Nil, and nothing done, where
-- the lease is somebody else's.

local MOST = 500

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return false
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])

-- The shadow has a history of no other items.
for _, item in ipairs(redis.call('SPOP', KEYS[2], MOST)) do
  redis.call('UNLINK', ARGV[4] .. item)
end
local remaining = redis.call('SCARD', KEYS[2])
if remaining == 0 then
  redis.call('UNLINK', unpack(KEYS, 3))
end
return remaining
