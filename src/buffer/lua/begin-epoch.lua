-- Begins an epoch, unless it is the one that is: every counter of another epoch must then be reloaded.
--
-- KEYS  1 meta
-- ARGV  1 the epoch   2 flush sequence   3 losses before it   4 time, milliseconds; 0 where nothing was lost
--       5 the word of the comparison that found it necessary   6 sequences of changes go on above this
-- Reply 1 | 0 where nothing was begun
--
-- The word lies in Redis since before MySQL was read. A Redis that was emptied since does not have it, nor has one in
-- which another epoch was begun: what was compared is then no longer so, and an epoch that begins late would bring
-- back one under which numbers were lost. The number of losses is the epoch's place among all.
--
-- With the data went the marks of what is dirty and what is owed: all is then counted anew, and the whole index
-- compared with MySQL.

local known = redis.call('HMGET', KEYS[1], 'epoch', 'losses', 'comparing', 'touched')
if known[1] == ARGV[1] or known[3] ~= ARGV[5] or tonumber(known[2] or '0') > tonumber(ARGV[3]) then return 0 end
redis.call('HDEL', KEYS[1], 'comparing')
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'sequence', ARGV[2], 'committed', ARGV[2], 'losses', ARGV[3])
local touched = math.max(tonumber(known[4] or '0'), tonumber(ARGV[6]))
redis.call('HSET', KEYS[1], 'touched', string.format('%.0f', touched))
if ARGV[4] ~= '0' then redis.call('HSET', KEYS[1], 'recount', ARGV[4], 'behind', ARGV[4]) end
return 1
