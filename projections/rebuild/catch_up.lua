-- Replays what the log has got since, event by event, so that a script can go on at a moment when
-- the shadow is what the live projection should be.
--
-- Begins with apply.lua and replay.lua; a step follows, which is to be taken `if at_end`
-- and gives its own reply after these.
--   ARGV[6]  the position after which to begin
--   ARGV[7]  how many entries it may replay
-- Reply: the position reached, events replayed, entries skipped because they are no events, the
-- length of the log, whether its end was reached.

local CHUNK, MOST_BYTES = 16, 1024 * 1024

local function is_event(fields)
  return #fields == 10 and fields[1] == 'type' and fields[3] == 'item'
    and fields[5] == 'version' and fields[7] == 'data' and fields[9] == 'meta'
    and (fields[2] == 'ItemCreated' or fields[2] == 'ItemUpdated' or fields[2] == 'ItemDeleted')
    and (fields[2] == 'ItemDeleted') == (fields[8] == '')
    and string.find(fields[6], '^%d+$') ~= nil
end

local place, replayed, skipped, bytes, at_end = ARGV[6], 0, 0, 0, false
local most = tonumber(ARGV[7])
repeat
  local entries = redis.call('XRANGE', KEYS[1], '(' .. place, '+', 'COUNT', CHUNK)
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    place = entry[1]
    if is_event(fields) then
      replay(entry, fields[2] == 'ItemCreated' and place or '', 1, place)
      replayed = replayed + 1
      bytes = bytes + #fields[8]
    else
      skipped = skipped + 1
    end
  end
  at_end = #entries < CHUNK
until at_end or replayed + skipped >= most or bytes >= MOST_BYTES
write_items()

local reply = { place, replayed, skipped, redis.call('XLEN', KEYS[1]), at_end and 1 or 0 }
