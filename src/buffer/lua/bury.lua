-- Takes a dead letter off the list of them: to be tried again, or to be thrown away.
--
-- KEYS  1 meta   2 dead letters   3 their reasons   4 what is set aside
--       where it is a record:   5 its list   6 its parent's counter   7 its parent's pending records
--       8 its parent's revisions   9 its parent's dead letters
--       where it is a chat, also a change of one:   10 the chat's counter   11 its pending messages   12 their revisions
--       13 its dead letters
-- ARGV  1 the dead letter's reference   2 "requeue", "discard", or "drop" where its record has landed since
--       3 the record's number   4 wake-up channel   5 "revision" where it is a refused change, else "dead"
--       6 seconds an idle counter stays
--       to discard a new record also: 7 stamp of what was seen   8 payload of the deleted record in its place
-- Reply 1 | 0 where there is no such dead letter | 2 where it is no longer what was seen
--
-- A new record that is thrown away becomes a tombstone, and is flushed as one: MySQL must know that its number
-- was given. A chat is then deleted as its user would delete it. Of a refused change, only the change is thrown
-- away; the row stays as it was, and a chat that was to be deleted takes messages again.

local stamp, tombstone = ARGV[7], ARGV[8]
if tombstone then
  local seen = redis.call('HGET', KEYS[9], ARGV[3]) or ''
  if string.sub(seen, 1, #stamp) ~= stamp then return 2 end
end
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[3], ARGV[1])
if redis.call('HDEL', KEYS[4], ARGV[1]) == 1 then return 1 end

local is_change = ARGV[5] == 'revision'
local home = is_change and KEYS[8] or KEYS[9]
local payload = redis.call('HGET', home, ARGV[3])
if not payload then return 1 end
local function grow(bytes)
  redis.call('HINCRBY', KEYS[1], 'bytes', bytes)
  redis.call('HINCRBY', KEYS[6], 'bytes', bytes)
end

if ARGV[2] == 'drop' or ARGV[2] == 'discard' and is_change then
  redis.call('HDEL', home, ARGV[3])
  grow(0 - #payload)
  -- A chat whose deletion is thrown away is there again: its mark goes, and its counter is loaded anew.
  if ARGV[2] == 'discard' and KEYS[10] and is_tombstone(payload) then redis.call('HDEL', KEYS[10], 'deleted') end
  let_rest(KEYS[6], KEYS[7], KEYS[8], KEYS[9], ARGV[6])
  return 1
end
if ARGV[2] == 'discard' then
  redis.call('HSET', home, ARGV[3], tombstone)
  grow(#tombstone - #payload)
  if KEYS[10] then delete_parent(KEYS[1], KEYS[10], KEYS[11], KEYS[12], KEYS[13]) end
end
if redis.call('RPUSH', KEYS[5], ARGV[1]) == 1 then begin_waiting(KEYS[1], string.match(KEYS[5], '%a+$')) end
redis.call('PUBLISH', ARGV[4], 'manual')
return 1
