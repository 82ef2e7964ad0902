-- Begins an epoch, unless it is the one that is: every counter of another epoch must then be reloaded.
--
-- KEYS  1 meta
-- ARGV  1 the epoch   2 flush sequence   3 time at which it began, milliseconds; 0 where nothing was lost
-- Reply 1 | 0 where it is the one that is
--
-- With the data went the marks of what is dirty and what is owed: all is then counted anew, and the whole index
-- compared with MySQL.

if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'sequence', ARGV[2], 'began', ARGV[3])
if ARGV[3] ~= '0' then redis.call('HSET', KEYS[1], 'recount', ARGV[3], 'behind', ARGV[3]) end
return 1
