-- Ends what a back end's crash left undecided. Run once on each front, with event_scheduler=ON and a server_id of its own.
--
-- A back end that dies between the two phases of a commit comes back with a transaction that is prepared and that nobody
-- ends: the front forgets it, and the locks stay. Every five seconds the events below ask each back end for such
-- transactions of this front (XA RECOVER) whose connection is gone, and do what the front had written down: commit
-- where it had decided so, else roll back. Sluice was answered with an error and writes the batch again, so either is
-- right.

create database if not exists settling;

delimiter //

create or replace procedure settling.settle(in back_end varchar(64))
begin
  declare place varchar(128) default concat('srv "', back_end, '", database "mysql"');
  declare is_last boolean default false;
  declare xid varchar(300);
  declare verdict varchar(8);
  declare abandoned cursor for
    select concat('X''', hex(left(data, gtrid_length)), ''',X''', hex(substr(data, gtrid_length + 1)), ''',', format_id),
      if((select status from mysql.spider_xa known where known.data = rpad(prepared.data, 128, '\0')) = 'COMMIT',
        'commit', 'rollback')
    from settling.prepared
    where substr(data, gtrid_length + 1) = lower(hex(@@server_id))
      and conv(left(data, gtrid_length), 16, 10) not in (select id from information_schema.processlist);
  declare continue handler for not found set is_last = true;
  -- A back end that is away, or a transaction that has ended meanwhile, is looked at again the next time.
  declare continue handler for sqlexception begin end;

  create or replace temporary table settling.prepared
    (format_id int, gtrid_length int, bqual_length int, data varbinary(128));
  do spider_direct_sql('xa recover', 'settling.prepared', place);
  open abandoned;
  one_by_one: loop
    fetch abandoned into xid, verdict;
    if is_last then leave one_by_one; end if;
    do spider_direct_sql(concat('xa ', verdict, ' ', xid), '', place);
  end loop;
  close abandoned;
end //

create or replace event settling.settle_b1 on schedule every 5 second do call settling.settle('b1') //
create or replace event settling.settle_b2 on schedule every 5 second do call settling.settle('b2') //
create or replace event settling.settle_b3 on schedule every 5 second do call settling.settle('b3') //

delimiter ;
