//! `pg_catalog`: the tables that say something, and those that are there and empty.

use super::cell::Cell;
use super::directory::Directory;
use super::types;
use crate::session::CATALOG;

/// The number of the one role, which owns everything.
pub(crate) const OWNER: i32 = 10;
/// The number of the one way of storing.
const HEAP: i32 = 2;

/// Declarations of the tables with rows.
pub(super) const TABLES: [(&str, &str); 13] = [
    ("pg_namespace", "oid:oid nspname nspowner:oid=10 nspacl:texts=null"),
    (
        "pg_class",
        "oid:oid relname relnamespace:oid reltype:oid=0 reloftype:oid=0 relowner:oid=10 relam:oid=2 \
         relfilenode:oid=0 reltablespace:oid=0 relpages:int=0 reltuples:real=-1 relallvisible:int=0 \
         reltoastrelid:oid=0 relhasindex:flag=false relisshared:flag=false relpersistence=p relkind=r relnatts:small \
         relchecks:small=0 relhasrules:flag=false relhastriggers:flag=false relhassubclass:flag=false \
         relrowsecurity:flag=false relforcerowsecurity:flag=false relispopulated:flag=true relreplident=n \
         relispartition:flag=false relrewrite:oid=0 relfrozenxid:int=0 relminmxid:int=0 relacl:texts=null \
         reloptions:texts=null relpartbound=null",
    ),
    (
        "pg_attribute",
        "attrelid:oid attname atttypid:oid attstattarget:int=-1 attlen:small attnum:small attndims:int=0 \
         attcacheoff:int=-1 atttypmod:int attbyval:flag=false attalign=i attstorage=p attcompression= \
         attnotnull:flag atthasdef:flag=false atthasmissing:flag=false attidentity= attgenerated= \
         attisdropped:flag=false attislocal:flag=true attinhcount:int=0 attcollation:oid=0 attacl:texts=null \
         attoptions:texts=null attfdwoptions:texts=null",
    ),
    (
        "pg_type",
        "oid:oid typname typnamespace:oid=11 typowner:oid=10 typlen:small typbyval:flag=false typtype typcategory \
         typispreferred:flag=false typisdefined:flag=true typdelim=, typrelid:oid=0 typsubscript:oid=0 typelem:oid \
         typarray:oid typinput typoutput typreceive typsend typmodin:oid=0 typmodout:oid=0 typanalyze:oid=0 \
         typalign=i typstorage=p typnotnull:flag=false typbasetype:oid=0 typtypmod:int=-1 typndims:int=0 \
         typcollation:oid=0 typdefaultbin=null typdefault=null typacl:texts=null",
    ),
    ("pg_description", "objoid:oid classoid:oid=1259 objsubid:int description"),
    (
        "pg_database",
        "oid:oid datname datdba:oid=10 encoding:int=6 datlocprovider=c datistemplate:flag=false datallowconn:flag=true \
         datconnlimit:int=-1 datfrozenxid:int=0 datminmxid:int=0 dattablespace:oid=1663 datcollate=C datctype=C \
         daticulocale=null datcollversion=null datacl:texts=null",
    ),
    (
        "pg_roles",
        "oid:oid rolname rolsuper:flag=false rolinherit:flag=true rolcreaterole:flag=false rolcreatedb:flag=false \
         rolcanlogin:flag=true rolreplication:flag=false rolconnlimit:int=-1 rolpassword=null rolvaliduntil=null \
         rolbypassrls:flag=false rolconfig:texts=null",
    ),
    (
        "pg_user",
        "usename usesysid:oid usecreatedb:flag=false usesuper:flag=false userepl:flag=false usebypassrls:flag=false \
         passwd=null valuntil=null useconfig:texts=null",
    ),
    ("pg_am", "oid:oid amname amhandler=- amtype=t"),
    ("pg_tablespace", "oid:oid spcname spcowner:oid=10 spcacl:texts=null spcoptions:texts=null"),
    (
        "pg_tables",
        "schemaname tablename tableowner=tideline tablespace=null hasindexes:flag=false \
         hasrules:flag=false hastriggers:flag=false rowsecurity:flag=false",
    ),
    (
        "pg_settings",
        "name setting unit=null category= short_desc= context=user vartype=string source=default boot_val=null \
         reset_val=null pending_restart:flag=false",
    ),
    (
        "pg_stat_activity",
        "datid:oid=1 datname pid:int=0 usename=tideline application_name= state=active query=",
    ),
];

/// Declarations of the tables that are always empty.
pub(super) const EMPTY: [(&str, &str); 39] = [
    ("pg_attrdef", "oid:oid adrelid:oid adnum:small adbin"),
    ("pg_auth_members", "roleid:oid member:oid grantor:oid admin_option:flag"),
    ("pg_cast", "oid:oid castsource:oid casttarget:oid castfunc:oid castcontext castmethod"),
    (
        "pg_collation",
        "oid:oid collname collnamespace:oid collowner:oid collprovider collisdeterministic:flag \
         collencoding:int collcollate collctype colliculocale collversion",
    ),
    (
        "pg_constraint",
        "oid:oid conname connamespace:oid contype condeferrable:flag condeferred:flag convalidated:flag conrelid:oid \
         contypid:oid conindid:oid conparentid:oid confrelid:oid confupdtype confdeltype confmatchtype \
         conislocal:flag coninhcount:int connoinherit:flag conkey:smalls confkey:smalls conpfeqop:oids \
         conppeqop:oids conffeqop:oids conexclop:oids conbin",
    ),
    ("pg_conversion", "oid:oid conname connamespace:oid"),
    ("pg_cursors", "name statement is_holdable:flag is_binary:flag is_scrollable:flag creation_time"),
    ("pg_depend", "classid:oid objid:oid objsubid:int refclassid:oid refobjid:oid refobjsubid:int deptype"),
    ("pg_enum", "oid:oid enumtypid:oid enumsortorder:real enumlabel"),
    ("pg_event_trigger", "oid:oid evtname evtevent evtowner:oid evtfoid:oid evtenabled evttags:texts"),
    ("pg_extension", "oid:oid extname extowner:oid extnamespace:oid extrelocatable:flag extversion"),
    (
        "pg_foreign_data_wrapper",
        "oid:oid fdwname fdwowner:oid fdwhandler:oid fdwvalidator:oid fdwoptions:texts",
    ),
    (
        "pg_foreign_server",
        "oid:oid srvname srvowner:oid srvfdw:oid srvtype srvversion srvacl srvoptions:texts",
    ),
    ("pg_foreign_table", "ftrelid:oid ftserver:oid ftoptions:texts"),
    (
        "pg_index",
        "indexrelid:oid indrelid:oid indnatts:small indnkeyatts:small indisunique:flag indnullsnotdistinct:flag \
         indisprimary:flag indisexclusion:flag indimmediate:flag indisclustered:flag indisvalid:flag \
         indcheckxmin:flag indisready:flag indislive:flag indisreplident:flag indkey:smalls indcollation:oids \
         indclass:oids indoption:smalls indexprs indpred",
    ),
    ("pg_indexes", "schemaname tablename indexname tablespace indexdef"),
    ("pg_inherits", "inhrelid:oid inhparent:oid inhseqno:int inhdetachpending:flag"),
    ("pg_language", "oid:oid lanname lanowner:oid lanispl:flag lanpltrusted:flag"),
    ("pg_locks", "locktype database:oid relation:oid pid:int mode granted:flag transactionid"),
    (
        "pg_matviews",
        "schemaname matviewname matviewowner tablespace hasindexes:flag ispopulated:flag definition",
    ),
    (
        "pg_opclass",
        "oid:oid opcmethod:oid opcname opcnamespace:oid opcowner:oid opcfamily:oid opcintype:oid \
         opcdefault:flag opckeytype:oid",
    ),
    ("pg_operator", "oid:oid oprname oprnamespace:oid oprleft:oid oprright:oid oprresult:oid"),
    ("pg_partitioned_table", "partrelid:oid partstrat partnatts:small partdefid:oid partattrs:smalls"),
    (
        "pg_policy",
        "oid:oid polname polrelid:oid polcmd polpermissive:flag polroles:oids polqual polwithcheck",
    ),
    ("pg_prepared_statements", "name statement prepare_time from_sql:flag"),
    (
        "pg_proc",
        "oid:oid proname pronamespace:oid proowner:oid prolang:oid procost:real prorows:real provariadic:oid prokind \
         prosecdef:flag proleakproof:flag proisstrict:flag proretset:flag provolatile proparallel pronargs:small \
         pronargdefaults:small prorettype:oid proargtypes:oids proallargtypes:oids proargmodes:texts \
         proargnames:texts prosrc proconfig:texts proacl:texts",
    ),
    (
        "pg_publication",
        "oid:oid pubname pubowner:oid puballtables:flag pubinsert:flag pubupdate:flag pubdelete:flag \
         pubtruncate:flag pubviaroot:flag",
    ),
    ("pg_publication_namespace", "oid:oid pnpubid:oid pnnspid:oid"),
    ("pg_publication_rel", "oid:oid prpubid:oid prrelid:oid prqual prattrs:smalls"),
    ("pg_range", "rngtypid:oid rngsubtype:oid rngmultitypid:oid rngcollation:oid rngsubopc:oid"),
    ("pg_rewrite", "oid:oid rulename ev_class:oid ev_type ev_enabled is_instead:flag ev_qual ev_action"),
    ("pg_seclabel", "objoid:oid classoid:oid objsubid:int provider label"),
    (
        "pg_sequence",
        "seqrelid:oid seqtypid:oid seqstart:long seqincrement:long seqmax:long seqmin:long seqcache:long \
         seqcycle:flag",
    ),
    ("pg_shdescription", "objoid:oid classoid:oid description"),
    ("pg_stat_user_tables", "relid:oid schemaname relname seq_scan:long n_live_tup:long n_dead_tup:long"),
    (
        "pg_statistic_ext",
        "oid:oid stxrelid:oid stxname stxnamespace:oid stxowner:oid stxstattarget:int \
         stxkeys:smalls stxkind:texts",
    ),
    ("pg_subscription", "oid:oid subdbid:oid subname subowner:oid subenabled:flag"),
    (
        "pg_trigger",
        "oid:oid tgrelid:oid tgparentid:oid tgname tgfoid:oid tgtype:small tgenabled tgisinternal:flag \
         tgconstraint:oid tgdeferrable:flag tginitdeferred:flag tgnargs:small",
    ),
    ("pg_views", "schemaname viewname viewowner definition"),
];

/// The rows of one of the tables.
pub(super) fn rows(name: &str, directory: &Directory) -> Vec<Vec<Cell>> {
    let relations = directory.relations.iter();
    match name {
        "pg_namespace" => {
            directory.schemas.iter().map(|(name, oid)| vec![(*oid).into(), name.as_str().into()]).collect()
        }
        "pg_class" => relations
            .map(|relation| {
                let columns = i32::try_from(relation.columns.len()).unwrap_or(i32::MAX);
                vec![
                    relation.oid.into(),
                    relation.name.as_str().into(),
                    relation.schema_oid.into(),
                    columns.into(),
                ]
            })
            .collect(),
        "pg_attribute" => attributes(directory),
        "pg_type" => types::ALL.iter().map(type_row).collect(),
        "pg_description" => descriptions(directory),
        "pg_database" => vec![vec![1.into(), CATALOG.into()]],
        "pg_roles" => vec![vec![OWNER.into(), "tideline".into()]],
        "pg_user" => vec![vec!["tideline".into(), OWNER.into()]],
        "pg_am" => vec![vec![HEAP.into(), "heap".into()]],
        "pg_tablespace" => vec![vec![1663.into(), "pg_default".into()]],
        "pg_tables" => relations
            .map(|relation| vec![relation.schema.as_str().into(), relation.name.as_str().into()])
            .collect(),
        "pg_settings" => vec![
            vec!["max_index_keys".into(), "32".into()],
            vec!["server_version".into(), crate::function::SERVER_VERSION.into()],
        ],
        "pg_stat_activity" => vec![vec![CATALOG.into()]],
        _ => Vec::new(),
    }
}

fn attributes(directory: &Directory) -> Vec<Vec<Cell>> {
    let of = |relation: &super::Relation| -> Vec<Vec<Cell>> {
        (1..)
            .zip(&relation.columns)
            .map(|(number, column): (i32, _)| {
                let (oid, modifier) = column.pg_type;
                vec![
                    relation.oid.into(),
                    column.name.as_str().into(),
                    oid.into(),
                    types::of_oid(oid).map_or(-1, |known| known.len).into(),
                    number.into(),
                    modifier.into(),
                    (!column.nullable).into(),
                ]
            })
            .collect()
    };
    directory.relations.iter().flat_map(of).collect()
}

fn type_row(known: &types::PgType) -> Vec<Cell> {
    let kind = if known.category == "P" || known.category == "X" { "p" } else { "b" };
    // Arrays are told by how they are read.
    let array = known.element != 0;
    let function = |end: &str| if array { format!("array_{end}") } else { format!("{}{end}", known.name) };
    vec![
        known.oid.into(),
        known.name.into(),
        known.len.into(),
        kind.into(),
        known.category.into(),
        known.element.into(),
        known.array.into(),
        function("in").into(),
        function("out").into(),
        function("recv").into(),
        function("send").into(),
    ]
}

fn descriptions(directory: &Directory) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for relation in &directory.relations {
        if let Some(comment) = &relation.comment {
            rows.push(vec![relation.oid.into(), 0.into(), comment.as_str().into()]);
        }
        for (number, column) in (1..).zip(&relation.columns) {
            let number: i32 = number;
            if let Some(comment) = &column.comment {
                rows.push(vec![relation.oid.into(), number.into(), comment.as_str().into()]);
            }
        }
    }
    rows
}
