-- Adds to what a projection has counted, and notes up to where, in one step.
--   KEYS[1]  the counts: a hash, with the fields position and events for itself
--   ARGV[1]  the position that it must be at, 0-0 for none; empty: whatever is there
--   ARGV[2]  the position that it is at then
--   ARGV[3]  1: what was there before goes
--   then names and numbers to add
-- Reply: 1; 0, and nothing written, where it is at another position: somebody else went on.

if ARGV[3] == '1' and redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' then
  redis.call('DEL', KEYS[1]) -- something else stands there
end
if ARGV[1] ~= '' and (redis.call('HGET', KEYS[1], 'position') or '0-0') ~= ARGV[1] then
  return 0
end
if ARGV[3] == '1' then
  redis.call('DEL', KEYS[1])
end
-- A failing script keeps what it wrote, so all that can fail comes before the first write.
for i = 4, #ARGV, 2 do
  local number = redis.call('HGET', KEYS[1], ARGV[i])
  -- Other texts of a number, such as 007, are none to HINCRBY.
  local is_number = number == '0' or (number and string.find(number, '^%-?[1-9]%d*$') and #number < 19)
  if number and not is_number then
    return redis.error_reply('NOTANUMBER ' .. ARGV[i] .. ' is ' .. number)
  end
end
for i = 4, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('HSET', KEYS[1], 'position', ARGV[2])
return 1
