-- Ends a restore: all at once, the store is there.
--   KEYS[1]  what is restored, and how far: a hash, which goes
--   KEYS[2]  the store's last position
--   KEYS[3]  what the store is: a hash
--   KEYS[4]  how the archive stands: a hash
--   ARGV[1]  the position up to which all is written
--   ARGV[2]  the store's last position
--   ARGV[3]  how many names and values come next: those of what the store is
--   then these, and then those of how the archive stands, none where there is no archive
-- Reply: 1; an error, and nothing written, where it stands elsewhere.

if redis.call('HGET', KEYS[1], 'done') ~= ARGV[1] then
  return redis.error_reply('RESTOREMOVED')
end
local last = 3 + tonumber(ARGV[3])
redis.call('HSET', KEYS[3], unpack(ARGV, 4, last))
if ARGV[last + 1] then
  redis.call('HSET', KEYS[4], unpack(ARGV, last + 1))
end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
return 1
