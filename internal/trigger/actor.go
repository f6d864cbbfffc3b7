package trigger

import (
	"cmp"
	"fmt"
	"strings"
)

// An identity is the userIdentity of a CloudTrail record. Which fields it has
// depends on its type. Source: CloudTrail User Guide, "CloudTrail userIdentity
// element".
type identity struct {
	Type             string `json:"type"`
	ARN              string `json:"arn"`
	PrincipalID      string `json:"principalId"`
	AccountID        string `json:"accountId"`
	UserName         string `json:"userName"`
	IdentityProvider string `json:"identityProvider"`
	InvokedBy        string `json:"invokedBy"` // the AWS service that made the call for the caller
	OnBehalfOf       struct {
		UserID           string `json:"userId"`
		IdentityStoreARN string `json:"identityStoreArn"`
	} `json:"onBehalfOf"`
	SessionContext struct {
		SessionIssuer struct {
			ARN string `json:"arn"`
		} `json:"sessionIssuer"`
		SourceIdentity      string `json:"sourceIdentity"`
		WebIDFederationData struct {
			FederatedProvider string `json:"federatedProvider"`
		} `json:"webIdFederationData"`
	} `json:"sessionContext"`
}

// anonymous is the account of a caller without credentials. Source: Amazon S3
// User Guide, "CloudTrail log file entries".
const anonymous = "ANONYMOUS_PRINCIPAL"

// String names the caller as far as the record does; "" if it does not. Names
// that callers choose are quoted.
func (id identity) String() string {
	who := id.who()
	if who == "" {
		return id.InvokedBy
	}
	if user := id.centerUser(); user != "" && user != who {
		who += ", on behalf of " + user
	}
	if s := id.SessionContext.SourceIdentity; s != "" {
		who += fmt.Sprintf(", source identity %q", s)
	}
	if id.InvokedBy != "" {
		who += ", through " + id.InvokedBy
	}
	return who
}

// who names the principal.
func (id identity) who() string {
	if arn := cmp.Or(id.ARN, id.SessionContext.SessionIssuer.ARN); arn != "" {
		return arn
	}
	name := ""
	if id.UserName != "" {
		name = fmt.Sprintf("%q", id.UserName)
	}
	provider := cmp.Or(id.IdentityProvider, id.SessionContext.WebIDFederationData.FederatedProvider)
	switch {
	case id.AccountID == anonymous:
		return "an anonymous caller"
	case id.Type == "IdentityCenterUser" && id.centerUser() != "":
		return id.centerUser()
	case id.Type == "SAMLUser" && id.UserName+id.PrincipalID != "":
		return of("SAML user "+cmp.Or(name, id.PrincipalID), provider)
	case id.Type == "WebIdentityUser" && id.UserName+id.PrincipalID != "":
		return of("web identity user "+cmp.Or(name, id.PrincipalID), provider)
	}
	account := ""
	if id.AccountID != "" {
		account = "account " + id.AccountID
	}
	switch {
	case name != "":
		return of("user "+name, account)
	case id.PrincipalID != "":
		return of("principal "+id.PrincipalID, account)
	}
	return account
}

// centerUser names the user of IAM Identity Center; "" if there is none.
func (id identity) centerUser() string {
	if id.OnBehalfOf.UserID == "" {
		return ""
	}
	store := id.OnBehalfOf.IdentityStoreARN
	return of("Identity Center user "+id.OnBehalfOf.UserID, store[strings.LastIndex(store, "/")+1:])
}

func of(a, b string) string {
	if b == "" {
		return a
	}
	return a + " of " + b
}
