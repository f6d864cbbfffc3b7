package config_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// organization returns a configuration with these keys in addition to the two that an
// organisation needs.
func organization(keys string) string {
	if keys != "" {
		keys = "," + keys
	}
	return `{"prefix":"acme","organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333"` + keys + `}}`
}

// Without the key, a deployment guards its own account alone. With it, the name of the
// role has a default, which is no fact of the configuration.
func TestOrganization(t *testing.T) {
	for raw, want := range map[string]catalog.Organization{
		`{}`:                    {},
		`{"organization":null}`: {},
		organization(""):        {ID: "o-a1b2c3d4e5", Hub: "111122223333", Role: "acme-spoke", Concurrency: 8},
		organization(`"roleName":"AuditLights","externalId":"a:b/c=1","accounts":["444455556666"],"ous":["r-a1b2","ou-a1b2-c3d4e5f6"],"excludeAccounts":["777788889999"],"excludeOus":["ou-a1b2-00000000"],"concurrency":1000`): {
			ID: "o-a1b2c3d4e5", Hub: "111122223333", Role: "AuditLights", ExternalID: "a:b/c=1",
			Accounts: []string{"444455556666"}, OUs: []string{"r-a1b2", "ou-a1b2-c3d4e5f6"},
			ExcludeAccounts: []string{"777788889999"}, ExcludeOUs: []string{"ou-a1b2-00000000"}, Concurrency: 1000,
		},
	} {
		c, err := config.Parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		got := c.Baseline().Organization
		if !reflect.DeepEqual(got, want) || got.On() != (want.ID != "") {
			t.Errorf("%s: %+v, want %+v", raw, got, want)
		}
		if _, named := c.Facts()["organization.roleName"]; named != strings.Contains(raw, "roleName") {
			t.Errorf("%s: facts %v", raw, c.Facts())
		}
	}
}

// What AWS would refuse, or what contradicts itself, is an error that says what to do.
func TestBadOrganization(t *testing.T) {
	for keys, want := range map[string]string{
		`"accounts":["444455556666","444455556666"]`:                        `organization.accounts: "444455556666" is listed twice: remove one`,
		`"accounts":["44445555666"]`:                                        `organization.accounts: "44445555666" is not the ID of an account: use 12 digits`,
		`"accounts":["4444-5555-6666"]`:                                     "is not the ID of an account",
		`"accounts":[444455556666]`:                                         "use text in double quotes",
		`"accounts":["111122223333"]`:                                       "is the hub, which its own stack guards: remove it",
		`"accounts":["444455556666"],"excludeAccounts":["444455556666"]`:    "is in excludeAccounts, too: remove it from one of the two",
		`"excludeAccounts":["444455556666","444455556666"]`:                 "organization.excludeAccounts: \"444455556666\" is listed twice",
		`"excludeAccounts":["111122223333"]`:                                "set modes to observe or off",
		`"ous":["Workloads"]`:                                               "not its name or ARN",
		`"ous":["arn:aws:organizations::111122223333:ou/o-a/ou-a1b2-0000"]`: "not its name or ARN",
		`"ous":["ou-a1b2-c3d4e5f"]`:                                         "is not the ID of a root or organisational unit",
		`"ous":["ou-a1b2-c3d4e5f6","ou-a1b2-c3d4e5f6"]`:                     "is listed twice",
		`"ous":["ou-a1b2-c3d4e5f6"],"excludeOus":["ou-a1b2-c3d4e5f6"]`:      "is in excludeOus, too",
		`"excludeOus":["r-a1b2"]`:                                           "is not the ID of an organisational unit",
		`"roleName":"arn:aws:iam::111122223333:role/x"`:                     "without path and ARN",
		`"roleName":"a b"`:                                                  "is not the name of a role",
		`"roleName":"audit/lights"`:                                         "without path and ARN",
		`"roleName":"` + strings.Repeat("x", 65) + `"`:                      "has 65 characters: use up to 64",
		`"roleName":"Acme-Delivery"`:                                        "is the name of another role of relight's",
		`"roleName":"acme-forward-eu-west-1"`:                               "is the name of another role of relight's",
		`"externalId":"x"`:                                                  "has 1 characters: use 2 to 1224",
		`"externalId":"` + strings.Repeat("x", 1225) + `"`:                  "has 1225 characters: use 2 to 1224",
		`"concurrency":0`:                                                   "organization.concurrency is 0: use 1 to 1000",
		`"concurrency":1001`:                                                "organization.concurrency is 1001: use 1 to 1000",
		`"concurrency":2.5`:                                                 "organization.concurrency",
		`"externalId":"two words"`:                                          "without blanks",
		`"excludedAccounts":[]`:                                             `did you mean "excludeAccounts"?`,
	} {
		_, err := config.Parse([]byte(organization(keys)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", keys, err, want)
		}
	}
	for raw, wants := range map[string][]string{
		`{"organization":{}}`: {`organization.id "" is not the ID`, `organization.hubAccount "" is not`},
		`{"organization":{"id":"a1b2c3d4e5","hubAccount":"security"}}`:  {"use one such as o-a1b2c3d4e5", "use the 12 digits of the account of the home stack"},
		`{"organization":{"id":"o-short","hubAccount":"111122223333"}}`: {`organization.id "o-short"`},
	} {
		_, err := config.Parse([]byte(raw))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", raw, err, want)
			}
		}
	}
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf("%q", fmt.Sprintf("%012d", i)))
	}
	if _, err := config.Parse([]byte(organization(`"accounts":[` + strings.Join(many, ",") + `]`))); err != nil {
		t.Error(err)
	}
}
