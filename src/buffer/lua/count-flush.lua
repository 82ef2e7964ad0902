-- Counts one more flush of a partition, and says how far it had come then.
--
-- KEYS  1 meta   2 the list of chats   3 the list of messages
-- Reply {epoch or nil, flush sequence, committed, losses, chats accepted, messages accepted, last sequence of a
--       change, entries of both lists}

redis.call('HINCRBY', KEYS[1], 'sequence', 1)
local reply = redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'committed', 'losses',
  'accepted:chats', 'accepted:messages', 'touched')
reply[8] = redis.call('LLEN', KEYS[2]) + redis.call('LLEN', KEYS[3])
return reply
