-- What a command says of keys that may hold anything.
--
-- Goes on after any text. It takes no key and no argument itself.

-- The reply, or the error, which says that something else is there. A key that is on its way to
-- another node of a cluster is neither there nor not: the script ends, and is to be run again.
local function tried(...)
  local reply = redis.pcall(...)
  local why = type(reply) == 'table' and reply.err
  if why and string.find(tostring(why), 'non local key', 1, true) then
    error(reply)
  end
  return reply
end

