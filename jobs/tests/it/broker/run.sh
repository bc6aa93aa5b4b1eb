# Runs a broker in folder $1, the jars of which are in $2, for as long as somebody holds our standard input open.
java="java -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp $2/*"
set -f
$java kafka.tools.StorageTool format -t tSbDk3VhQ1mUQ2n7wU1ggg -c "$1/server.properties" > "$1/broker.log" 2>&1 &&
  exec 3<&0 &&
  { $java kafka.Kafka "$1/server.properties" >> "$1/broker.log" 2>&1 3<&- < /dev/null & } &&
  pid=$! && echo "$pid" > "$1/pid" &&
  cat <&3 > /dev/null
[ -n "$pid" ] && kill -9 "$pid" && wait "$pid" 2> /dev/null
rm -rf "$1"
