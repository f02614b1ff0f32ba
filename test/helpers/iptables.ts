/** Makes iptables' own tables and chains, empty: what of them a failure leaves is no matter of that failure's test. */
export const builtins = `
  while read -r table chains; do
    for chain in $chains; do
      for tool in iptables ip6tables; do
        $tool -t $table -A $chain -j RETURN
        $tool -t $table -D $chain -j RETURN
      done
    done
  done <<'END'
raw PREROUTING OUTPUT
mangle PREROUTING INPUT FORWARD OUTPUT POSTROUTING
nat PREROUTING INPUT OUTPUT POSTROUTING
filter INPUT FORWARD OUTPUT
END`;
