-- Lets a lease last on, if it is still the asker's.
--
-- KEYS  1 lease
-- ARGV  1 the lease's value   2 milliseconds it lasts; 0 gives it back
-- Reply 1 | 0 where the lease is no longer the asker's

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
