-- Sets a total of a partition to what was counted, if the partition is still as it was then.
--
-- KEYS  1 meta   2 the list of chats   3 the list of messages
-- ARGV  1 the total's field   2 what was counted
--       3 the moment of which that is: the values of the fields that follow and the lengths of the lists, by spaces
--       then those fields
-- Reply 1 | 0 where something was accepted, changed or flushed since

local moment = {}
for at = 4, #ARGV do moment[#moment + 1] = redis.call('HGET', KEYS[1], ARGV[at]) or '' end
for list = 2, 3 do moment[#moment + 1] = string.format('%.0f', redis.call('LLEN', KEYS[list])) end
if table.concat(moment, ' ') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
