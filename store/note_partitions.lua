-- Notes how many partitions a store has, where that is not noted yet.
--   KEYS[1]  the layout of a store with so many partitions
--   KEYS[2]  the layout of a store of the same name that has one, or several: whichever KEYS[1] is not.
--            It may be missing, where both can't be on one engine
--   ARGV[1]  the number of partitions
--   ARGV[2]  a new id for the log of a store of one partition, which notes nothing else
-- Reply: the number that the store has, which is another one where somebody was faster.

local several = tonumber(ARGV[1]) > 1
if several and KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1 then
  return '1'
elseif several then
  local noted = redis.call('HGET', KEYS[1], 'partitions')
  if not noted then
    redis.call('HSET', KEYS[1], 'partitions', ARGV[1])
  end
  return noted or ARGV[1]
end

local other = KEYS[2] and redis.call('HGET', KEYS[2], 'partitions')
if other then
  return other
end
redis.call('HSETNX', KEYS[1], 'log', ARGV[2])
return '1'
