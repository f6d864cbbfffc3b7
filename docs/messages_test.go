package docs_test

import (
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// severities writes what each severity means, and that of the kinds.
func severities(p *page) {
	of := map[catalog.Severity][]string{}
	for _, k := range catalog.Kinds() {
		of[k.Severity()] = append(of[k.Severity()], code(string(k)))
	}
	p.line("")
	p.head("Severity", "Means", "A protection of these kinds is restored")
	for _, s := range catalog.Severities() {
		p.row(code(string(s)), s.Means(), strings.Join(of[s], ", "))
	}
	p.line("")
}
