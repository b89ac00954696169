-- Notes up to where a projection has handled a log, in one step with the event that it sets aside.
--
-- Begins with the text of positions.lua.
--   KEYS[1]  how far the projection is: a hash
--   KEYS[2]  the log
--   KEYS[3]  how the archive stands: what is not after its border was in the log, and may be trimmed
--   KEYS[4]  the events that it has set aside, by their positions: a hash
--   ARGV[1]  the position that it must be at; empty: it must not have begun
--   ARGV[2]  the position that it is at then
--   ARGV[3]  how many entries of the log lie between the two
--   ARGV[4]  how many of these were handled
--   ARGV[5]  what is noted of the last one where it is set aside, else empty
--   ARGV[6]  how many may be set aside at once
-- Reply: 1; 0, and nothing written, where it is at another position: somebody else went on; -1, and
-- nothing written, where the log does not have the event at ARGV[2] any more: a failover has taken
-- it back; -2, and nothing written, where as many are set aside as may be.

local at, position = redis.call('HGET', KEYS[1], 'position') or '', ARGV[2]
if at ~= ARGV[1] then
  return 0
end
local border = redis.call('HGET', KEYS[3], 'border') or ''
local was_there = string.match(border, '^%d+-%d+$') and key_of(position) <= key_of(border)
if position ~= '0-0' and not was_there and not redis.call('XRANGE', KEYS[2], position, position)[1] then
  return -1
end
if ARGV[5] ~= '' then
  if redis.call('HLEN', KEYS[4]) >= tonumber(ARGV[6]) then
    return -2
  end
  redis.call('HSET', KEYS[4], position, ARGV[5])
end
redis.call('HSET', KEYS[1], 'position', position)
redis.call('HINCRBY', KEYS[1], 'events', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'handled', ARGV[4])
redis.call('HDEL', KEYS[1], 'failing', 'tries', 'reason', 'next', 'stopped')
return 1
