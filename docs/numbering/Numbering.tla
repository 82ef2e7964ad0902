----------------------------- MODULE Numbering -----------------------------
(***************************************************************************)
(* How a chat numbers its messages, as Redis, MySQL, two API processes and *)
(* a flusher do it together. An application numbers its chats in the same  *)
(* way. Read it from top to bottom: first what there is, then what each    *)
(* may do next, one step at a time. TLC, the checker, tries every order of *)
(* these steps, within bounds, and shows the shortest one that breaks what *)
(* stands at the end: no number is answered for two messages.              *)
(*                                                                         *)
(* A step is what happens at once in the product: a script in Redis, or a  *)
(* statement or a transaction in MySQL. Between any two steps everybody    *)
(* else may move, for as long as they like, and nobody needs to go on: so  *)
(* a process that stops for ever, or sleeps for a day, is covered. What    *)
(* comes at the top of an action, at[p] = "...", is where its process      *)
(* stands; a step that stands nowhere is one that somebody else makes.     *)
(*                                                                         *)
(* To read TLA+: x' is x after the step, /\ is "and", \/ is "or", # is     *)
(* "is not", and [r EXCEPT !.f = v] is the record r with another field f,  *)
(* where @ is the value it had.                                            *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets, TLC

CONSTANTS
  Apis, Flusher,      \* the processes
  Gap,                \* numbers left out for a loss of data; see Accept for what it must suffice for
  MaxAnswers, MaxFlushes, MaxDeletions, MaxEmptied, MaxPutBack, MaxEpoch,  \* bounds of the search
  \* The rules of the protocol, each of which can be left off to see what it is there for:
  NewestFirst,        \* a load reads the newest row before the mark, not after it
  CountLosses,        \* losses are counted, and one gap is left for each; else one for an epoch, by the clock
  Ticket,             \* a load counts only while its ticket is in Redis
  VerifyEachAttempt,  \* each attempt of a POST asks whether Redis was compared; else only the first one
  FenceEpoch,         \* a flush commits only under the epoch that it was counted in
  VerifyTicket        \* an epoch begins only in the Redis that was compared, where none began meanwhile

VARIABLES
  redis,     \* what Redis holds, see Init
  mysql,     \* what MySQL holds
  at, note,  \* of each process: which step is next, and what it remembers from those before
  batch,     \* what the flusher has in hand
  verified,  \* of each process: the Redis process that it found to be whole
  copy,      \* an older copy of Redis, with how many answers there were when it was taken
  answers,   \* the numbers that were answered with 201, in order
  unsaved,   \* those of them given since the last loss of which MySQL knows nothing
  flushes, deletions, emptied, putBack  \* how often these happened

Processes == Apis \cup {Flusher}

(* An epoch is a random word and the count of losses before it; here one number is both, from 1, and 0 is none. *)
(* A message is its number, and the epoch in place of the time of its acceptance, which only the clock needs.   *)
Message(number) == [number |-> number, epoch |-> IF CountLosses THEN 0 ELSE redis.epoch]
NoCounter == [epoch |-> 0, last |-> 0, ticket |-> 0]
EmptyRedis == [run |-> 1, epoch |-> 0, seq |-> 0, ticket |-> 0, counter |-> NoCounter, pending |-> {}, gone |-> {}]
NoBatch == [run |-> 0, new |-> {}, gone |-> {}]
Nothing == [run |-> 0, ticket |-> 0, epoch |-> 0, seq |-> 0,
            newest |-> 0, since |-> 0, mark |-> 0, resumed |-> 0, last |-> 0, lastEpoch |-> 0, base |-> 0]

Max(a, b) == IF a > b THEN a ELSE b
Greatest(numbers) == IF numbers = {} THEN 0 ELSE CHOOSE n \in numbers : \A m \in numbers : n >= m
Numbers(messages) == {m.number : m \in messages}
Known(sql) == Max(sql.mark, Greatest(Numbers(sql.rows)))
IsVerified(p) == verified[p] = redis.run

(* One message was accepted and flushed, and the chat has come to rest: its counter has left Redis. *)
Init ==
  /\ redis = [EmptyRedis EXCEPT !.epoch = 1, !.seq = 1]
  /\ mysql = [epoch |-> 1, seq |-> 1, rows |-> {[number |-> 1, epoch |-> IF CountLosses THEN 0 ELSE 1]},
              mark |-> 0,     \* last_message_number, the high-water mark
              resumed |-> 1]  \* losses: up to which epoch the mark stands above the gaps
  /\ at = [p \in Processes |-> "rest"] /\ note = [p \in Processes |-> Nothing] /\ batch = NoBatch
  /\ verified = [p \in Processes |-> 1]
  /\ copy = <<>>
  /\ answers = <<1>> /\ unsaved = {}
  /\ flushes = 0 /\ deletions = 0 /\ emptied = 0 /\ putBack = 0

Go(p, step) == at' = [at EXCEPT ![p] = step]
Remember(p, what) == note' = [note EXCEPT ![p] = what]
Bounded == <<flushes, deletions, emptied, putBack>>
Faults == <<copy, Bounded>>

(* A random word, here the least number that nobody holds. *)
Held == {redis.ticket, redis.counter.ticket} \cup {note[p].ticket : p \in Processes}
        \cup (IF copy = <<>> THEN {} ELSE {copy[1].ticket, copy[1].counter.ticket})
Random == CHOOSE t \in 1..9 : t \notin Held /\ \A s \in 1..9 : s \in Held \/ t <= s

-----------------------------------------------------------------------------
(* A POST: src/http/accept.ts. *)

(* Without VerifyEachAttempt the question is asked once, and then there are as many attempts as it takes. *)
Attempt == IF VerifyEachAttempt THEN "rest" ELSE "attempt"
Ask(p) ==
  /\ at[p] = "rest" /\ ~VerifyEachAttempt /\ IsVerified(p)
  /\ Go(p, "attempt")
  /\ UNCHANGED <<redis, mysql, note, batch, verified, answers, unsaved, Faults>>

IsKnown == redis.epoch # 0 /\ redis.counter.epoch = redis.epoch

(* accept.lua. That the Redis process is the one that was compared holds when the script runs: another one cannot   *)
(* be reached but by a new connection, which is noticed before anything is sent over it. The gap must suffice: no    *)
(* more than Gap numbers are given of which MySQL does not know, neither by a row nor by a mark, until the next loss.*)
Accept(p) ==
  /\ at[p] = Attempt /\ (VerifyEachAttempt => IsVerified(p)) /\ IsKnown
  /\ Len(answers) < MaxAnswers /\ Cardinality(unsaved) < Gap
  /\ LET number == redis.counter.last + 1 IN
     /\ redis' = [redis EXCEPT !.counter.last = number, !.pending = @ \cup {Message(number)}]
     /\ answers' = Append(answers, number) /\ unsaved' = unsaved \cup {number}
  /\ Go(p, "rest")
  /\ UNCHANGED <<mysql, note, batch, verified, Faults>>

-----------------------------------------------------------------------------
(* Loading a counter that Redis does not have, or has of an epoch that is over: src/store/numbers.ts, numbering.ts. A *)
(* load that is refused at any point has done no harm, and the POST is attempted again from its beginning.           *)

(* begin-load.lua, when accept.lua has said that the parent is not known: leaves a ticket, or shares the one that is *)
(* there, and says what Redis knows. Where there is no epoch, Redis must be compared again.                           *)
BeginLoad(p) ==
  /\ at[p] = Attempt /\ ~IsKnown /\ Len(answers) < MaxAnswers
  /\ IF redis.epoch = 0 THEN
       /\ IsVerified(p) /\ verified' = [verified EXCEPT ![p] = 0] /\ Go(p, "rest")
       /\ UNCHANGED <<redis, note>>
     ELSE LET word == IF ~Ticket THEN 0 ELSE IF redis.counter.ticket = 0 THEN Random ELSE redis.counter.ticket IN
       /\ redis' = [redis EXCEPT !.counter.ticket = word]
       /\ Remember(p, IF ~CountLosses THEN Nothing ELSE
            [Nothing EXCEPT !.epoch = redis.epoch, !.ticket = word, !.lastEpoch = redis.counter.epoch,
                            !.last = Max(redis.counter.last, Greatest(Numbers(redis.pending)))])
       /\ Go(p, IF NewestFirst THEN "newest" ELSE "mark") /\ UNCHANGED verified
  /\ UNCHANGED <<mysql, batch, answers, unsaved, Faults>>

(* SELECT number FROM messages ... ORDER BY number DESC LIMIT 1 *)
ReadNewest(p) ==
  /\ at[p] = "newest"
  /\ LET newest == Greatest(Numbers(mysql.rows)) IN
     Remember(p, [note[p] EXCEPT !.newest = newest, !.since =
       IF newest = 0 THEN 0 ELSE (CHOOSE m \in mysql.rows : m.number = newest).epoch])
  /\ Go(p, IF NewestFirst THEN "mark" ELSE IF CountLosses THEN "partition" ELSE "seed")
  /\ UNCHANGED <<redis, mysql, batch, verified, answers, unsaved, Faults>>

(* SELECT last_message_number, losses FROM chats *)
ReadMark(p) ==
  /\ at[p] = "mark"
  /\ Remember(p, [note[p] EXCEPT !.mark = mysql.mark, !.resumed = IF CountLosses THEN mysql.resumed ELSE 0])
  /\ Go(p, IF ~NewestFirst THEN "newest" ELSE IF CountLosses THEN "partition" ELSE "seed")
  /\ UNCHANGED <<redis, mysql, batch, verified, answers, unsaved, Faults>>

(* Where the chat goes on: above what MySQL knows and a gap for each loss since, and above what Redis knows likewise. *)
Stored(n) == Max(n.newest, n.mark)
Base(n) == Max(Stored(n) + Gap * (n.epoch - n.resumed),
               IF n.lastEpoch = 0 THEN n.last ELSE n.last + Gap * (n.epoch - n.lastEpoch))

(* SELECT epoch FROM partitions: MySQL must be of the epoch that Redis was of when the load began. *)
ReadPartition(p) ==
  /\ at[p] = "partition"
  /\ LET n == note[p] IN
     IF mysql.epoch # n.epoch
     THEN Go(p, "rest") /\ verified' = [verified EXCEPT ![p] = 0] /\ Remember(p, Nothing)
     ELSE /\ Go(p, IF Base(n) > Stored(n) \/ n.epoch > n.resumed THEN "raise" ELSE "seed")
          /\ Remember(p, [Nothing EXCEPT !.epoch = n.epoch, !.ticket = n.ticket, !.base = Base(n)])
          /\ UNCHANGED verified
  /\ UNCHANGED <<redis, mysql, batch, answers, unsaved, Faults>>

(* UPDATE chats SET last_message_number = greatest(...), losses = greatest(...): before a number above it is given. *)
Raise(p) ==
  /\ at[p] = "raise"
  /\ mysql' = [mysql EXCEPT !.mark = Max(@, note[p].base), !.resumed = Max(@, note[p].epoch)]
  /\ unsaved' = {n \in unsaved : n > Known(mysql')}
  /\ Go(p, "seed")
  /\ UNCHANGED <<redis, note, batch, verified, answers, Faults>>

(* Without CountLosses: a gap unless a row of this epoch tells that one was left before. *)
BaseByClock(n) ==
  Max(Stored(n), Max(redis.counter.last, Greatest(Numbers(redis.pending))))
  + IF redis.epoch > 1 /\ (redis.counter.epoch # 0 \/ n.since < redis.epoch) THEN Gap ELSE 0

(* seed.lua: begins the counter, unless there is one or the load is stale; then the POST is attempted again. *)
Seed(p) ==
  /\ at[p] = "seed"
  /\ LET n == note[p]
         isStale == CountLosses /\ (redis.epoch # n.epoch \/ (Ticket /\ redis.counter.ticket # n.ticket))
     IN redis' = IF redis.epoch = 0 \/ IsKnown \/ isStale THEN redis
                 ELSE [redis EXCEPT !.counter = [epoch |-> redis.epoch, ticket |-> 0,
                         last |-> IF CountLosses THEN n.base ELSE BaseByClock(n)]]
  /\ Go(p, Attempt) /\ Remember(p, Nothing)
  /\ UNCHANGED <<mysql, batch, verified, answers, unsaved, Faults>>

-----------------------------------------------------------------------------
(* Comparing Redis with MySQL: src/epoch-guard.ts. An API process or the flusher does it where Redis runs as another  *)
(* process than the one that it compared last, or where it has come to doubt that Redis is whole.                    *)

(* who-serves.lua, and the first look of a comparison, which with VerifyTicket leaves a word or shares the one there. *)
WhoServes(p) ==
  /\ ~IsVerified(p) /\ at[p] = IF p = Flusher THEN "count" ELSE "rest"
  /\ p # Flusher => Len(answers) < MaxAnswers
  /\ LET word == IF ~VerifyTicket THEN 0 ELSE IF redis.ticket = 0 THEN Random ELSE redis.ticket IN
     /\ redis' = [redis EXCEPT !.ticket = word]
     /\ Remember(p, [Nothing EXCEPT !.run = redis.run, !.ticket = word])
  /\ Go(p, "stored")
  /\ UNCHANGED <<mysql, batch, verified, answers, unsaved, Faults>>

(* SELECT epoch, flush_sequence FROM partitions *)
ReadStored(p) ==
  /\ at[p] = "stored"
  /\ Remember(p, [note[p] EXCEPT !.epoch = mysql.epoch, !.seq = mysql.seq])
  /\ Go(p, "compare")
  /\ UNCHANGED <<redis, mysql, batch, verified, answers, unsaved, Faults>>

FoundWhole(p) ==
  /\ verified' = [verified EXCEPT ![p] = note[p].run] /\ Remember(p, Nothing)
  /\ Go(p, IF p = Flusher THEN "count" ELSE Attempt)

(* HMGET meta epoch sequence *)
Compare(p) ==
  /\ at[p] = "compare"
  /\ IF redis.epoch = note[p].epoch /\ redis.seq >= note[p].seq THEN FoundWhole(p)
     ELSE Go(p, "replace") /\ Remember(p, [note[p] EXCEPT !.seq = 0]) /\ UNCHANGED verified
  /\ UNCHANGED <<redis, mysql, batch, answers, unsaved, Faults>>

(* UPDATE partitions SET epoch = ..., losses = losses + 1 WHERE epoch = the one that was read; then what there is. *)
Replace(p) ==
  /\ at[p] = "replace"
  /\ mysql' = [mysql EXCEPT !.epoch = IF @ = note[p].epoch THEN @ + 1 ELSE @]
  /\ Remember(p, [note[p] EXCEPT !.epoch = mysql'.epoch, !.seq = mysql.seq])
  /\ Go(p, "begin")
  /\ UNCHANGED <<redis, batch, verified, answers, unsaved, Faults>>

(* begin-epoch.lua: never puts an earlier epoch in place of a later one. With VerifyTicket it begins nothing where the *)
(* word is gone: with the data, or as another epoch began. A copy that was put back is told by its process.            *)
Begin(p) ==
  /\ at[p] = "begin"
  /\ LET n == note[p]
         isNew == IF CountLosses THEN redis.epoch < n.epoch ELSE redis.epoch # n.epoch
     IN IF VerifyTicket /\ (redis.ticket # n.ticket \/ redis.run # n.run)
        THEN Go(p, IF p = Flusher THEN "count" ELSE "rest") /\ Remember(p, Nothing) /\ UNCHANGED <<redis, verified>>
        ELSE /\ redis' = IF isNew THEN [redis EXCEPT !.epoch = n.epoch, !.seq = n.seq, !.ticket = 0] ELSE redis
             /\ FoundWhole(p)
  /\ UNCHANGED <<mysql, batch, answers, unsaved, Faults>>

-----------------------------------------------------------------------------
(* The flusher: src/flusher/drain.ts and sequence-mark.ts. *)

Peek ==
  /\ at[Flusher] = "rest" /\ flushes < MaxFlushes /\ (redis.pending # {} \/ redis.gone # {})
  /\ batch' = [run |-> redis.run, new |-> redis.pending, gone |-> redis.gone]
  /\ Go(Flusher, "count") /\ flushes' = flushes + 1
  /\ UNCHANGED <<redis, mysql, note, verified, copy, answers, unsaved, deletions, emptied, putBack>>

(* HINCRBY meta sequence 1, in a Redis that was compared. The batch stays in hand whatever happens to Redis. *)
Count ==
  /\ at[Flusher] = "count" /\ IsVerified(Flusher)
  /\ redis' = [redis EXCEPT !.seq = @ + 1]
  /\ Remember(Flusher, [Nothing EXCEPT !.epoch = redis.epoch, !.seq = redis.seq + 1])
  /\ Go(Flusher, "write")
  /\ UNCHANGED <<mysql, batch, verified, answers, unsaved, Faults>>

(* One transaction: rows are inserted, deleted ones removed and the mark raised, the count noted; the partition's row *)
(* is read last, under a lock.                                                                                        *)
Write ==
  /\ at[Flusher] = "write"
  /\ LET n == note[Flusher]
         isCounted == mysql.epoch = n.epoch /\ mysql.seq < n.seq
         new == {m \in batch.new : m.number \notin Numbers(mysql.rows)}
     IN IF FenceEpoch /\ ~isCounted
        THEN Go(Flusher, "count") /\ verified' = [verified EXCEPT ![Flusher] = 0] /\ UNCHANGED <<mysql, unsaved>>
        ELSE /\ mysql' = [mysql EXCEPT !.rows = {m \in @ \cup new : m.number \notin batch.gone},
                            !.mark = Max(@, Greatest(batch.gone)), !.seq = IF isCounted THEN n.seq ELSE @]
             /\ unsaved' = {number \in unsaved : number > Known(mysql')}
             /\ Go(Flusher, "acknowledge") /\ UNCHANGED verified
  /\ Remember(Flusher, Nothing)
  /\ UNCHANGED <<redis, batch, answers, Faults>>

(* acknowledge.lua; not where another Redis process serves than the one that the batch was read from. *)
Acknowledge ==
  /\ at[Flusher] = "acknowledge"
  /\ redis' = IF redis.run # batch.run THEN redis
              ELSE [redis EXCEPT !.pending = @ \ batch.new, !.gone = @ \ batch.gone]
  /\ batch' = NoBatch /\ Go(Flusher, "rest")
  /\ UNCHANGED <<mysql, note, verified, answers, unsaved, Faults>>

-----------------------------------------------------------------------------
(* What else happens, at any time. *)

(* revise.lua: DELETE of the newest message. A tombstone is in its place until the flusher has seen to it. That of an *)
(* older message changes nothing that a load reads.                                                                   *)
Delete ==
  LET newest == Greatest(Numbers(redis.pending) \cup (Numbers(mysql.rows) \ redis.gone)) IN
  /\ newest # 0 /\ deletions < MaxDeletions
  /\ redis' = [redis EXCEPT !.pending = {m \in @ : m.number # newest}, !.gone = @ \cup {newest}]
  /\ deletions' = deletions + 1
  /\ UNCHANGED <<mysql, at, note, batch, verified, copy, answers, unsaved, flushes, emptied, putBack>>

(* A counter with nothing beneath it leaves Redis when it has been idle; so does a ticket without a counter. *)
Expire ==
  /\ redis.counter # NoCounter /\ redis.pending = {} /\ redis.gone = {}
  /\ redis' = [redis EXCEPT !.counter = NoCounter]
  /\ UNCHANGED <<mysql, at, note, batch, verified, copy, answers, unsaved, Bounded>>

(* Redis loses everything: under a living connection (FLUSHALL), or by a start without its files. *)
Empty ==
  /\ emptied < MaxEmptied
  /\ \E run \in {redis.run, redis.run + 1} : redis' = [EmptyRedis EXCEPT !.run = run]
  /\ unsaved' = {} /\ emptied' = emptied + 1
  /\ UNCHANGED <<mysql, at, note, batch, verified, copy, answers, flushes, deletions, putBack>>

TakeCopy ==
  /\ copy = <<>> /\ putBack < MaxPutBack
  /\ copy' = <<redis, Len(answers)>>
  /\ UNCHANGED <<redis, mysql, at, note, batch, verified, answers, unsaved, Bounded>>

(* Redis comes back with an older copy, or a replica that lagged takes over. Left out is the loss that nobody can  *)
(* notice: numbers were answered since the copy was taken, and nothing of it was flushed.                          *)
PutBack ==
  /\ copy # <<>>
  /\ copy[1].epoch # mysql.epoch \/ copy[1].seq < mysql.seq \/ copy[2] = Len(answers)
  /\ redis' = [copy[1] EXCEPT !.run = redis.run + 1]
  /\ copy' = <<>> /\ unsaved' = {} /\ putBack' = putBack + 1
  /\ UNCHANGED <<mysql, at, note, batch, verified, answers, flushes, deletions, emptied>>

Next ==
  \/ \E p \in Apis : Ask(p) \/ Accept(p)
                     \/ BeginLoad(p) \/ ReadNewest(p) \/ ReadMark(p) \/ ReadPartition(p) \/ Raise(p) \/ Seed(p)
  \/ \E p \in Processes : WhoServes(p) \/ ReadStored(p) \/ Compare(p) \/ Replace(p) \/ Begin(p)
  \/ Peek \/ Count \/ Write \/ Acknowledge
  \/ Delete \/ Expire \/ Empty \/ TakeCopy \/ PutBack

Spec == Init /\ [][Next]_<<redis, mysql, at, note, batch, verified, answers, unsaved, Faults>>

-----------------------------------------------------------------------------
(* What must hold after each step. *)

NoNumberTwice == \A i, j \in 1..Len(answers) : i # j => answers[i] # answers[j]
NumbersGrow == \A i \in 2..Len(answers) : answers[i] > answers[i - 1]

(* For TLC alone: which states need not be told apart, as all that can follow is the same. A Redis process matters   *)
(* only as the one that serves or not, a word as one that is still there or not, a count by how far it is from         *)
(* another, and of the answers, while they grow, the last. What a step that will be refused remembers does not matter. *)
Serves(run) == IF run = redis.run THEN 1 ELSE 0
Word(word, here) == IF word = 0 THEN 0 ELSE IF word = here THEN 1 ELSE
                    IF copy # <<>> /\ word \in {copy[1].ticket, copy[1].counter.ticket} THEN 2 ELSE 3
RedisView(r) == [r EXCEPT !.run = 0, !.seq = @ - mysql.seq, !.ticket = Word(@, redis.ticket),
                          !.counter.ticket = Word(@, redis.counter.ticket)]
NoteView(p) ==
  LET n == note[p]
      here == IF at[p] \in {"stored", "compare", "replace", "begin"} THEN redis.ticket ELSE redis.counter.ticket
      word == Word(n.ticket, here)
  IN IF (at[p] = "seed" /\ Ticket /\ word = 3) \/ (at[p] = "begin" /\ VerifyTicket /\ (word = 3 \/ Serves(n.run) = 0))
     THEN <<>>
     ELSE <<[n EXCEPT !.run = Serves(@), !.ticket = word, !.seq = IF @ = 0 THEN 0 ELSE 10 + @ - mysql.seq]>>
View == <<RedisView(redis), [mysql EXCEPT !.seq = 0], at, [p \in Processes |-> NoteView(p)],
          [batch EXCEPT !.run = Serves(@)], [p \in Processes |-> IsVerified(p)],
          IF copy = <<>> THEN copy ELSE <<RedisView(copy[1]), copy[2]>>,
          Len(answers), answers[Len(answers)], NumbersGrow, unsaved, Bounded>>

(* Who compares between another's Replace and Begin counts the loss once more, and that can go on: it ends here. *)
FewEpochs == mysql.epoch <= MaxEpoch
Symmetry == Permutations(Apis)
=============================================================================
