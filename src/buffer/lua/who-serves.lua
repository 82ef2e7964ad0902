-- Names the process of Redis that runs this, and its history as a master: a replica that takes over begins another.
-- KEYS  1 any key of the partition
-- reply the name
local process = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
local history = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
return process .. ':' .. history
