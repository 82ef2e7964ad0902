/** Words that MySQL up to 9 or MariaDB up to 11 reserve, and that might be chosen as the name of a column. */
const reserved = new Set(
  `accessible add all alter analyze and array asc asensitive before between both by call cascade case change check
  collate column condition constraint continue convert create cross cube cume_dist current_date current_role
  current_time current_timestamp current_user cursor database databases declare default delayed delete
  dense_rank desc describe deterministic distinct distinctrow div drop dual each else elseif empty enclosed
  escaped except exists exit explain false fetch first_value for force foreign from fulltext function general
  generated get grant group grouping groups having high_priority if ignore in index infile inner inout
  insensitive insert intersect interval into is iterate join json_table key keys kill lag last_value lateral lead
  leading leave left like limit linear lines load localtime localtimestamp lock loop low_priority manual match
  maxvalue mod modifies natural not nth_value ntile null of offset on optimize option optionally or order out outer
  outfile over parallel partition percent_rank precision primary procedure purge qualify range rank read reads
  read_write recursive references regexp release rename repeat replace require resignal restrict return
  returning revoke right rlike row rows row_number schema schemas sensitive separator set show signal slow
  spatial specific sql ssl starting stored straight_join system table tablesample terminated then to trailing
  trigger true undo union unique unlock update usage use using values varying vector virtual when where
  while window with write xor`.split(/\s+/),
);

/** The first name given with AS that a server may reserve and that stands without quotes; nothing where there is none. */
export function reservedNameIn(code: string): string | undefined {
  const names = Array.from(code.matchAll(/\bas\s+([a-z_]\w*)/g), ([, name = ""]) => name);
  return names.find((name) => reserved.has(name));
}
