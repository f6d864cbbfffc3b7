package config

import (
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// validate checks the IDs and names of an organisation. Whether they exist shows only
// where relight runs.
func (o Organization) validate(p *problems, names catalog.Baseline) {
	p.unless(catalog.OrganizationShape.MatchString(o.ID), "organization.id %q is not the ID of an organisation: use one such as o-a1b2c3d4e5, which aws organizations describe-organization prints", o.ID)
	p.unless(catalog.AccountShape.MatchString(o.HubAccount), "organization.hubAccount %q is not the ID of an account: use the 12 digits of the account of the home stack", o.HubAccount)

	p.ids("organization.accounts", o.Accounts, catalog.AccountShape.MatchString, "the ID of an account: use 12 digits")
	p.ids("organization.excludeAccounts", o.ExcludeAccounts, catalog.AccountShape.MatchString, "the ID of an account: use 12 digits")
	for _, a := range o.Accounts {
		p.unless(a != o.HubAccount, "organization.accounts: %q is the hub, which its own stack guards: remove it", a)
		p.unless(!slices.Contains(o.ExcludeAccounts, a), "organization.accounts: %q is in excludeAccounts, too: remove it from one of the two", a)
	}
	for _, a := range o.ExcludeAccounts {
		p.unless(a != o.HubAccount, "organization.excludeAccounts: %q is the hub, which its own stack guards: remove it, and set modes to observe or off if relight is not to restore there", a)
	}

	p.ids("organization.ous", o.OUs, func(id string) bool { return catalog.OUShape.MatchString(id) || catalog.RootShape.MatchString(id) },
		"the ID of a root or organisational unit: use one such as r-a1b2 or ou-a1b2-c3d4e5f6, not its name or ARN")
	p.ids("organization.excludeOus", o.ExcludeOUs, catalog.OUShape.MatchString, "the ID of an organisational unit: use one such as ou-a1b2-c3d4e5f6, not its name or ARN")
	for _, ou := range o.OUs {
		p.unless(!slices.Contains(o.ExcludeOUs, ou), "organization.ous: %q is in excludeOus, too: remove it from one of the two", ou)
	}

	if n := or(o.Concurrency, catalog.DefaultConcurrency); n < 1 || n > catalog.MostConcurrency {
		p.unless(false, "organization.concurrency is %d: use 1 to %d", n, catalog.MostConcurrency)
	}
	p.roleName(o.RoleName, names)
	switch n := len([]rune(o.ExternalID)); {
	case o.ExternalID == "":
	case n < 2 || n > 1224:
		p.unless(false, "organization.externalId has %d characters: use 2 to 1224", n)
	default:
		p.unless(catalog.ExternalIDShape.MatchString(o.ExternalID), "organization.externalId %q: use letters, digits and _ + = , . @ : / -, without blanks", o.ExternalID)
	}
}

// ids checks a list of IDs.
func (p *problems) ids(field string, ids []string, good func(string) bool, what string) {
	for i, id := range ids {
		p.unless(good(id), "%s: %q is not %s", field, id, what)
		p.unless(!slices.Contains(ids[:i], id), "%s: %q is listed twice: remove one", field, id)
	}
}

// roleName checks the name of the role in the guarded accounts, which must not be that
// of another one there. IAM does not distinguish names by case. Source: IAM User Guide,
// "IAM and AWS STS quotas", IAM name requirements, documented.
func (p *problems) roleName(name string, names catalog.Baseline) {
	const field = "organization.roleName"
	switch lower := strings.ToLower(name); {
	case name == "":
	case len([]rune(name)) > 64:
		p.unless(false, "%s has %d characters: use up to 64", field, len([]rune(name)))
	case !catalog.RoleShape.MatchString(name):
		p.unless(false, "%s %q is not the name of a role: use letters, digits and _ + = , . @ -, without path and ARN", field, name)
	default:
		p.unless(lower != names.Name(catalog.SpokeDelivery) && !strings.HasPrefix(lower, names.ForwardRole("")),
			"%s %q is the name of another role of relight's in a guarded account: use another one, or leave it out for %s", field, name, names.Name(catalog.SpokeRole))
	}
}
