-- Takes the first events of a log that the archive has out of the engine: out of the stream, and out
-- of the histories of their items. The last event of a log stays, whatever the archive has.
--
-- Begins with the texts of positions.lua and entries.lua. What frees memory is done first: then an
-- engine that has none left carries out the rest too.
--   KEYS[1]  how the archive stands: a hash with the border
--   KEYS[2]  the log
--   KEYS[3]  how many of its events were trimmed: a string
--   ARGV[1]  in front of an id: the key of its history
--   ARGV[2]  at most so many events
--   ARGV[3]  at most so many bytes that it looks at, but one event all the same
-- Reply: how many events it took out, and 1 where it may take out no more, 0 where there are others;
-- an error, and nothing done, where the engine's user may not do a part of it.

local MOST = 64

local most, most_bytes = tonumber(ARGV[2]), tonumber(ARGV[3])
local border = redis.call('HGET', KEYS[1], 'border')
local length = redis.call('XLEN', KEYS[2])
if not border or length < 2 then
  return { 0, 1 }
end
redis.call('STRLEN', KEYS[3])  -- raises WRONGTYPE here, before the first write

local may = redis.acl_check_cmd
local history = ARGV[1] .. 'a'
local lacking = may and (
  not may('XTRIM', KEYS[2], 'MAXLEN', '1') and 'XTRIM'
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
    if first ~= position and type(first) == 'string' and key_of(first) > key_of(position) then
      redis.call('LPUSH', history, first)
    end
  until type(first) ~= 'string' or first == position or key_of(first) > key_of(position)
end

most = math.min(most, length - 1)
local taken, bytes, at_once, from, is_end = {}, 0, 1, '-', false
repeat
  local asked = math.min(at_once, most - #taken)
  local some = redis.call('XRANGE', KEYS[2], from, border, 'COUNT', asked)
  for _, entry in ipairs(some) do
    local size = size_of(entry[2])
    if #taken > 0 and bytes + size > most_bytes then
      bytes = most_bytes
      break
    end
    bytes = bytes + size
    taken[#taken + 1] = { entry[1], entry[2][3] == 'item' and entry[2][4] }
    from = '(' .. entry[1]
  end
  is_end = #some < asked
  local fit = math.floor((most_bytes - bytes) * #taken / (bytes + 1))
  at_once = math.max(1, math.min(MOST, 4 * at_once, fit))
until is_end or #taken == most or bytes >= most_bytes

if #taken > 0 then
  redis.call('XTRIM', KEYS[2], 'MAXLEN', '=', length - #taken)
  for _, event in ipairs(taken) do
    if event[2] then
      shorten(ARGV[1] .. event[2], event[1])
    end
  end
  redis.call('INCRBY', KEYS[3], #taken)
end
return { #taken, (is_end or #taken == length - 1) and 1 or 0 }
