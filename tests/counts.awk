# Sums up how many tests passed, failed and were skipped, from the output of cargo, node, schemathesis and
# pytest, and from lines "SKIPPED count of what".
/^test result: / { passed += $4; failed += $6; skipped += $8; is_counted = 1 }
NF == 3 && $2 == "pass" { passed += $3; is_counted = 1 }
NF == 3 && ($2 == "fail" || $2 == "cancelled") { failed += $3 }
NF == 3 && ($2 == "skipped" || $2 == "todo") { skipped += $3 }
/^ *[0-9]+ generated, .*passed/ { passed += $1; is_counted = 1 }
/^(=+ )?[0-9]+ (passed|failed|skipped|errors?).* in [0-9.]+s/ {
    for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) passed += $(i - 1)
        if ($i ~ /^(failed|errors?)/) failed += $(i - 1)
        if ($i ~ /^skipped/) skipped += $(i - 1)
    }
    is_counted = 1
}
/^SKIPPED / { skipped += $2 }
END { print is_counted ? passed : "-", is_counted ? failed + 0 : "-", skipped + 0 }
