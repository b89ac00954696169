-- Nothing but the replay of what comes next: for a part of the log in which few items come twice.
--
-- Begins with replay.lua, what comes before that, and catch_up.lua.
-- Reply: how many of the events were the first of their item.

reply[7] = firsts
return reply
