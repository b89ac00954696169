-- Says up to where an archiver begins to copy: from then on nothing comes into the logs up to
-- there. All events that they have at that moment are up to there, so they can be counted.
--
-- Begins with the text of positions.lua.
--   KEYS[1]  how the archive stands: a hash
--   KEYS[2]  the store's last position
--   then two for each collection: its log, and how many of its events were trimmed
--   ARGV[1]  the archive's id: the store's from now on, where it has none
-- Reply: the position, then for each collection how many events it has had: those in its log and
-- those that were trimmed. An error, and nothing done, where the store has another archive.

local archive = redis.call('HGET', KEYS[1], 'archive')
if archive and archive ~= ARGV[1] then
  return redis.error_reply('OTHERARCHIVE ' .. archive)
end

local last = redis.call('GET', KEYS[2]) or '0-0'
if not string.find(last, '^%d+-%d+$') then
  return redis.error_reply('BADPOSITION ' .. KEYS[2])
end
local claimed = redis.call('HGET', KEYS[1], 'claimed')
if not claimed or key_of(claimed) < key_of(last) then
  claimed = last
end

local reply = { claimed }
for i = 3, #KEYS, 2 do
  local trimmed = tonumber(redis.call('GET', KEYS[i + 1]) or 0) or 0
  reply[#reply + 1] = redis.call('XLEN', KEYS[i]) + trimmed
end

redis.call('HDEL', KEYS[1], 'claimed')  -- after it, an engine without memory takes the next too
redis.call('HSET', KEYS[1], 'archive', ARGV[1], 'claimed', claimed)
return reply
