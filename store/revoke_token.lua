-- Takes a token back. A script and no MULTI: an engine without memory takes this.
--   KEYS[1]  the tokens
--   ARGV[1]  the name of the token
--   ARGV[2]  the field that says that the last one was taken back on purpose
--   ARGV[3]  what it says; empty where the last one is to stay
-- Reply: 'revoked', 'none' where there is no such token, or 'last' where it is the last one and stays.

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return 'none'
end
if redis.call('HLEN', KEYS[1]) == 1 then
  if ARGV[3] == '' then
    return 'last'
  end
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
end
redis.call('HDEL', KEYS[1], ARGV[1])
return 'revoked'
