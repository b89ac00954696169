-- Takes the first events of a log that the archive has out of the engine: out of the stream, and out
-- of the histories of their items. The last event of a log stays, whatever the archive has.
--
-- Begins with the text of positions.lua. It is told which events they are, and looks at none: that
-- takes a third of the time. What frees memory is done first, so that an engine that has none left
-- carries out the rest too.
--   KEYS[1]  how the archive stands: a hash with the border
--   KEYS[2]  the log
--   KEYS[3]  how many of its events were trimmed: a string
--   ARGV[1]  in front of an id: the key of its history
--   ARGV[2]  the position of the last of the events
--   ARGV[3]  the position that comes next after it, if there may be one
--   ARGV[4]  how many events there are up to it
--   then two for each of the events: its position, and its item
-- Reply: how many events it took out, 0 where they are not before the border, or are all that the log
-- has; an error, and nothing done, where the engine's user may not do a part of it.

local FIRST = 5

local border = redis.call('HGET', KEYS[1], 'border')
if not border or key_of(ARGV[2]) > key_of(border)
  or redis.call('XLEN', KEYS[2]) <= tonumber(ARGV[4]) then
  return 0
end
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

-- Takes a position, which is that of the item's first event, out of a history, and what is before it:
-- that of an event which was removed by hand. What is after it stays: the history lacked this one.
local function shorten(history, position)
  repeat
    local first = redis.pcall('LPOP', history)
    if first == position or type(first) ~= 'string' then
      return
    end
    local is_after = key_of(first) > key_of(position)
    if is_after then
      redis.call('LPUSH', history, first)
    end
  until is_after
end

local taken = redis.call('XTRIM', KEYS[2], 'MINID', '=', ARGV[3])
for i = FIRST, #ARGV, 2 do
  shorten(ARGV[1] .. ARGV[i + 1], ARGV[i])
end
redis.call('INCRBY', KEYS[3], taken)
return taken
