-- Takes the first events of a log that the archive has out of the engine: out of the stream, and out
-- of the histories of their items. The last event of a log stays, whatever the archive has.
--
-- Begins with the text of positions.lua. It is told whose events they are, and looks at none: that
-- takes half of the time. What frees memory is done first, so that an engine that has none left
-- carries out the rest too.
--   KEYS[1]  how the archive stands: a hash with the border
--   KEYS[2]  the log
--   KEYS[3]  how many of its events were trimmed: a string
--   ARGV[1]  in front of an id: the key of its history
--   ARGV[2]  the position of the first of the events
--   ARGV[3]  the position of the last of them
--   then two for each item that has some of them: the position of its last one, and the item
-- Reply: how many events it took out; 0 where they are not before the border, and where the log
-- begins before them, as after a failover to an engine that was trimmed less far; an error, and
-- nothing done, where the engine's user may not do a part of it.

local FIRST = 4

local border = redis.call('HGET', KEYS[1], 'border')
if not border or key_of(ARGV[3]) > key_of(border) then
  return 0
end
local begins = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if not begins or key_of(begins[1]) < key_of(ARGV[2]) then
  return 0
end
local stays = redis.call('XRANGE', KEYS[2], '(' .. ARGV[3], '+', 'COUNT', 1)[1]
  or redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local first = stays[1]  -- of those that stay
redis.call('STRLEN', KEYS[3])  -- raises WRONGTYPE here, before the first write

local may = redis.acl_check_cmd
local history = ARGV[1] .. 'a'
local lacking = may and (
  not may('XTRIM', KEYS[2], 'MINID', '1') and 'XTRIM'
  or not may('LPOP', history) and 'LPOP'
  or not may('LPUSH', history, 'a') and 'LPUSH'
  or not may('INCRBY', KEYS[3], '1') and 'INCRBY')
if lacking then
  return redis.error_reply('NORIGHT ' .. lacking)
end

-- Takes the position of an item's event out of a history, and what is before it: of its other events,
-- and of those that were removed by hand. What is after it stays: the history lacked this one.
local function shorten(history, position)
  repeat
    local popped = redis.pcall('LPOP', history)
    if type(popped) ~= 'string' or (popped == position and popped ~= first) then
      return
    end
    local stays_too = popped == first or key_of(popped) > key_of(position)
    if stays_too then
      redis.call('LPUSH', history, popped)
    end
  until stays_too
end

local taken = redis.call('XTRIM', KEYS[2], 'MINID', '=', first)
for i = FIRST, #ARGV, 2 do
  shorten(ARGV[1] .. ARGV[i + 1], ARGV[i])
end
redis.call('INCRBY', KEYS[3], taken)
return taken
