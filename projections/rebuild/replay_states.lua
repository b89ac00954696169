-- Replays what a part of the log leaves of items, whether the engine still has that part or not.
--
-- Begins with replay.lua and what comes before that.
--   ARGV[6] and following  seven for each item: its id; type, version, position and body of its last
--                          event; the position of the last ItemCreated, empty where there is none;
--                          the positions that may be in its history, with blanks in between
-- Reply: how many of them were replayed: fewer where bodies are large.

local FIRST, EACH, MOST_BYTES = 6, 7, 1024 * 1024

local replayed, bytes = 0, 0
while FIRST + EACH * replayed <= #ARGV and bytes < MOST_BYTES do
  local item, event_type, version, position, data, created, positions =
    unpack(ARGV, FIRST + EACH * replayed, FIRST + EACH * (replayed + 1) - 1)
  local fields = { 'type', event_type, 'item', item, 'version', version, 'data', data }
  bytes = bytes + #data + replay({ position, fields }, created, count_of(positions), positions)
  replayed = replayed + 1
end
write_items(rebuilt)
return replayed
