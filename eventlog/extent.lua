-- Where the log begins and ends. XINFO has the first and the last event with their bodies, which
-- stay in the engine here.
--   KEYS[1]  the log
-- Reply: the first position and the last, both 0-0 where there is no event, how many events there
-- are, how many were ever appended, and the last position that was ever given.

if redis.call('EXISTS', KEYS[1]) == 0 then
  return { '0-0', '0-0', 0, 0, '0-0' }
end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local found = {}
for i = 1, #info, 2 do
  found[info[i]] = info[i + 1]
end
local first, last = found['first-entry'], found['last-entry']
return { first and first[1] or '0-0', last and last[1] or '0-0', found['length'],
  found['entries-added'], found['last-generated-id'] }
