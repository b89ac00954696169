#!lua
-- Whether an append would be taken now. It writes nothing; but as its first line does not say so,
-- the engine refuses it wherever it would refuse a write: on a replica, without memory, with too
-- few replicas, with a disk that fails, in another slot of a cluster.
--   KEYS[1..3]  the log, the current items, the ids
--   KEYS[4]     a writer's key
--   KEYS[5]     the outcome of an idempotency key
--   KEYS[6]     a history
--   KEYS[7]     the store's last position
--   ARGV[1]     how many partitions there are: `one`, or `several`, where idempotency keys are claimed
-- Reply:
--   the position at which the log ends, empty where there is none
--   the engine's time in milliseconds
--   then each command that a write needs and the engine's user may not run
-- An error where the store is being restored. Raises WRONGTYPE where a key holds something else.

if redis.call('GET', KEYS[7]) == 'restoring' then
  return redis.error_reply('HALFRESTORED')
end
redis.call('HLEN', KEYS[2])
redis.call('ZCARD', KEYS[3])
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local time = redis.call('TIME')
local reply = { last and last[1] or '', time[1] .. string.format('%03d', time[2] / 1000) }

local needed = {
  { 'XADD', KEYS[1], '*', 'a', 'b' }, { 'XLEN', KEYS[1] }, { 'XINFO', 'STREAM', KEYS[1] },
  { 'XREVRANGE', KEYS[1], '+', '-', 'COUNT', '1' },
  { 'HMGET', KEYS[2], 'a' }, { 'HSET', KEYS[2], 'a', 'b' },
  { 'ZADD', KEYS[3], '0', 'a' }, { 'ZREM', KEYS[3], 'a' }, { 'ZCARD', KEYS[3] },
  { 'GET', KEYS[4] }, { 'SET', KEYS[4], 'a', 'PX', '1' },
  { 'EXISTS', KEYS[5] }, { 'SET', KEYS[5], 'a', 'PX', '1' },
  { 'GET', KEYS[7] }, { 'SET', KEYS[7], 'a' },
  { 'RPUSH', KEYS[6], 'a' }, { 'LLEN', KEYS[6] }, { 'EVALSHA', 'a', '0' }, { 'EVAL', 'a', '0' },
}
if ARGV[1] == 'several' then
  needed[#needed + 1] = { 'GET', KEYS[5] }
  needed[#needed + 1] = { 'DEL', KEYS[5] }
end
if redis.acl_check_cmd then -- a fake has none
  for _, command in ipairs(needed) do
    if not redis.acl_check_cmd(unpack(command)) then
      reply[#reply + 1] = command[1]
    end
  end
end
return reply
