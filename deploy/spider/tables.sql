-- Spreads Sluice's tables over the back ends b1, b2 and b3 of a MariaDB front with the Spider engine. Run on the front,
-- in Sluice's database, after `sluice migrate` on each back end and on the front; the front's tables must be empty.
-- docs/scale-out.md, "MySQL on several servers", has the whole of it. Another number of back ends is another list of
-- partitions.

alter table applications engine=Spider comment='wrapper "mysql", table "applications"'
  partition by key (token)
  (partition p1 comment='srv "b1"', partition p2 comment='srv "b2"', partition p3 comment='srv "b3"');

alter table chats engine=Spider comment='wrapper "mysql", table "chats"'
  partition by key (application_token)
  (partition p1 comment='srv "b1"', partition p2 comment='srv "b2"', partition p3 comment='srv "b3"');

alter table messages engine=Spider comment='wrapper "mysql", table "messages"'
  partition by key (application_token)
  (partition p1 comment='srv "b1"', partition p2 comment='srv "b2"', partition p3 comment='srv "b3"');

alter table removals engine=Spider comment='wrapper "mysql", table "removals"'
  partition by key (application_token)
  (partition p1 comment='srv "b1"', partition p2 comment='srv "b2"', partition p3 comment='srv "b3"');

-- No records of users: what Sluice knows of Redis, and its settings. On back ends too, so that several fronts see the same.
alter table partitions engine=Spider comment='wrapper "mysql", table "partitions"'
  partition by key (partition_number)
  (partition p1 comment='srv "b1"', partition p2 comment='srv "b2"', partition p3 comment='srv "b3"');

alter table settings engine=Spider comment='wrapper "mysql", table "settings"'
  partition by key (name)
  (partition p1 comment='srv "b1"', partition p2 comment='srv "b2"', partition p3 comment='srv "b3"');
