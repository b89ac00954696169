-- Adds to what a projection has counted, and notes up to where, in one step.
--
-- Begins with the text of positions.lua.
--   KEYS[1]  the counts: a hash, with the fields position and events for itself
--   KEYS[2]  the log
--   KEYS[3]  how the archive stands: what is not after its border was in the log, and may be trimmed
--   ARGV[1]  the position that it must be at, 0-0 for none; empty: whatever is there
--   ARGV[2]  the position that it is at then
--   ARGV[3]  1: what was there before goes
--   then names and numbers to add
-- Reply: 1; 0, and nothing written, where it is at another position: somebody else went on; -1, and
-- nothing written, where the log has no event at the position that it is at then, and had none. The
-- event was read at another engine then, and a failover has taken it back, or somebody has removed it.

local anew = ARGV[3] == '1'

-- Other texts of a number, such as 007, are none to HINCRBY.
local function is_number(text)
  return text == '0' or (string.find(text, '^%-?[1-9]%d*$') and #text < 19)
end

local function has_event(position)
  local border = redis.call('HGET', KEYS[3], 'border') or ''
  local was_there = string.match(border, '^%d+-%d+$') and key_of(position) <= key_of(border)
  return was_there or redis.call('XRANGE', KEYS[2], position, position)[1]
end

local is_other = anew and redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' -- it goes, whatever it is
local position = not is_other and redis.call('HGET', KEYS[1], 'position') or '0-0'
if ARGV[1] ~= '' and position ~= ARGV[1] then
  return 0
elseif ARGV[2] ~= '0-0' and not has_event(ARGV[2]) then
  return -1
end
-- A failing script keeps what it wrote, so all that can fail comes before the first write.
for i = 4, #ARGV, 2 do
  local number = not anew and redis.call('HGET', KEYS[1], ARGV[i]) or '0'
  if not is_number(number) then
    return redis.error_reply('NOTANUMBER ' .. ARGV[i] .. ' is ' .. number)
  elseif not is_number(ARGV[i + 1]) then
    return redis.error_reply('NOTADDED ' .. ARGV[i] .. ' to get ' .. ARGV[i + 1])
  end
end
if anew then
  redis.call('DEL', KEYS[1])
end
for i = 4, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('HSET', KEYS[1], 'position', ARGV[2])
return 1
