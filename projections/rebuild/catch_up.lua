-- Replays what comes next in the log, event by event. Where that is its end, the shadow is what
-- the live projection should be, and a script can go on at this very moment.
--
-- Begins with replay.lua and what comes before that; a step follows, which is to be taken `if at_end`
-- and gives its own reply after these.
--   ARGV[6]  the position after which to begin
--   ARGV[7]  how many entries it may replay
-- Reply: the position reached, events replayed, entries skipped because they are no events, how many
-- events the log has and were trimmed, whether its end was reached (2: nothing was replayed, as the
-- stream may lack what comes next: the border has passed the position), whether the lease was renewed.

local CHUNK, LARGE, MOST_BYTES = 16, 64 * 1024, 1024 * 1024

local function is_event(fields)
  local event_type = fields[2]
  return #fields == 10 and fields[1] == 'type' and fields[3] == 'item'
    and fields[5] == 'version' and fields[7] == 'data' and fields[9] == 'meta'
    and (event_type == 'ItemCreated' or event_type == 'ItemUpdated' or event_type == 'ItemDeleted')
    and (event_type == 'ItemDeleted') == (fields[8] == '')
    and string.find(fields[6], '^%d+$') ~= nil
end

local place, replayed, skipped, bytes, at_end = ARGV[6], 0, 0, 0, false
local most, chunk, firsts = tonumber(ARGV[7]), 1, 0
local is_behind = border and key_of(border) > key_of(place)
while not (is_behind or at_end or replayed + skipped >= most or bytes >= MOST_BYTES) do
  local entries, before = redis.call('XRANGE', KEYS[1], '(' .. place, '+', 'COUNT', chunk), bytes
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    place = entry[1]
    if is_event(fields) then
      local size = replay(entry, fields[2] == 'ItemCreated' and place or '', 1, place)
      replayed = replayed + 1
      bytes = bytes + #fields[8] + (border and size or 0)
      firsts = firsts + (fields[6] == '1' and 1 or 0)
    else
      skipped = skipped + 1
    end
  end
  at_end = #entries < chunk
  chunk = bytes - before > LARGE and 1 or math.min(4 * chunk, CHUNK)
end
write_items(rebuilt)

local length = redis.call('XLEN', KEYS[1]) + (tonumber(redis.call('GET', KEYS[7]) or 0) or 0)
local reply = { place, replayed, skipped, length, is_behind and 2 or at_end and 1 or 0, renewed }
