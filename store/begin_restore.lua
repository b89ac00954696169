-- Begins to restore a store into an engine that has none. From then on every write is refused, also
-- that of a process which serves the store already.
--   KEYS[1]  what is restored, and how far: a hash
--   KEYS[2]  the store's last position: until the end it says that the store is being restored
--   then keys that an empty store does not have
--   ARGV     names and values of the hash
-- Reply: 1; an error, and nothing written, where a restore was begun before, or where the store is
-- not empty.

if redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.error_reply('RESTOREMOVED')
end
for i = 2, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    return redis.error_reply('NOTEMPTY ' .. KEYS[i])
  end
end
redis.call('HSET', KEYS[1], unpack(ARGV))
redis.call('SET', KEYS[2], 'restoring')
return 1
