package docs_test

import (
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
)

func permissions(p *page) {
	p.title("Permissions", "internal/catalog/permissions.go and deployment.go")
	p.line("Every function has its own role with these statements and nothing else. relight grants a")
	p.line("statement marked *configured* only if the configuration sets that key, and one for `regions` also if")
	p.line("the home region is not us-east-1, whose forwarder then sends the events of IAM.")
	p.line("Only a deployment with `audit.securityHub` has the function `audit`.")
	p.line("`backfill` is the function of the sweep: the schedule, the first run after a deployment and")
	p.line("`relight backfill` all invoke it. It does not have the write permissions of `deliveryroles`:")
	p.line("it [invokes](adr/0010-delivery-role.md) that function.\n")
	p.line("Placeholders: `${region}` is the home region. `${trail-log-group}` is the configured name,")
	p.line("or `*` if relight discovers it. The names of the others say what they are.\n")
	p.line("## Actions by function\n")
	actionTable(p)
	p.line("\n## Never granted\n")
	p.line("A test keeps these out of every role:\n")
	for _, a := range catalog.Never {
		p.line("- %s", code(a))
	}
	spokePermissions(p)
	for _, f := range catalog.Binaries() {
		p.line("\n## %s\n", f)
		p.head("Actions", "Resources", "Only if", "Why so")
		for _, g := range append(catalog.Grants(f, catalog.GrantKeys()...), catalog.RuntimeGrants(f)...) {
			p.row(each(g.Actions), each(g.Resources), each(conditions(g)), g.Why)
		}
	}
}

// spokePermissions writes what the role of a guarded account has and lacks.
func spokePermissions(p *page) {
	p.line("\n## In the other accounts of an organisation\n")
	p.line("An account that is [guarded from a hub](organization.md) has one role for all functions, with these statements")
	p.line("and nothing else. A test compares it with the roles of the functions. `${region}` is the home region.\n")
	table := func(grants []catalog.Grant) {
		p.head("Actions", "Resources", "Only if", "Why so")
		for _, g := range grants {
			p.row(each(g.Actions), each(g.Resources), each(conditions(g)), g.Why)
		}
	}
	every, owner := catalog.SpokeGrants(catalog.GrantKeys()...)
	p.line("Every account:\n")
	table(every)
	p.line("\nAn account that owns a trail, in addition:\n")
	table(owner)
	p.line("\nThe functions have these statements in the hub alone:\n")
	p.head("Actions", "Resources", "Why not in other accounts")
	var seen []string
	for _, f := range catalog.Functions() {
		for _, g := range catalog.Grants(f, catalog.GrantKeys()...) {
			if row := each(g.Actions) + each(g.Resources); g.Hub != "" && !slices.Contains(seen, row) {
				seen = append(seen, row)
				p.row(each(g.Actions), each(g.Resources), g.Hub)
			}
		}
	}
}

// actionTable writes which function may call what.
func actionTable(p *page) {
	granted := map[string]map[catalog.Function]bool{}
	head := []string{"Action"}
	for _, f := range catalog.Binaries() {
		head = append(head, string(f))
		for _, g := range append(catalog.Grants(f, catalog.GrantKeys()...), catalog.RuntimeGrants(f)...) {
			for _, a := range g.Actions {
				if granted[a] == nil {
					granted[a] = map[catalog.Function]bool{}
				}
				granted[a][f] = true
			}
		}
	}
	p.head(head...)
	for _, a := range sortedKeys(granted) {
		cells := []string{code(a)}
		for _, f := range catalog.Binaries() {
			cell := ""
			if granted[a][f] {
				cell = "●"
			}
			cells = append(cells, cell)
		}
		p.row(cells...)
	}
}

func conditions(g catalog.Grant) []string {
	var out []string
	for _, operator := range sortedKeys(g.Condition) {
		for _, key := range sortedKeys(g.Condition[operator]) {
			out = append(out, key+" = "+g.Condition[operator][key])
		}
	}
	if g.If != "" {
		out = append(out, "configured: "+g.If)
	}
	return out
}
