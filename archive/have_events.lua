-- Which of some events the logs have.
--
-- Begins with the text of same_event.lua.
--   KEYS     the log of each of the events
--   ARGV     two for each event: its position, and names and values of its entry
-- Reply: for each of them 1 or 0.

local reply = {}
for number, log in ipairs(KEYS) do
  reply[number] = is_there(log, ARGV[2 * number - 1], ARGV[2 * number]) and 1 or 0
end
return reply
