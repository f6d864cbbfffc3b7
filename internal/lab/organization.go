package lab

import (
	"context"
	"fmt"
	"strings"
)

// Organization returns the ID of the organisation that the lab's own account manages. It
// makes the organisation if there is none.
func (c *Cloud) Organization(ctx context.Context) (id string, err error) {
	s := c.Root().In(Region)
	id, err = s.AWS(ctx, "organizations", "create-organization", "--query", "Organization.Id", "--output", "text")
	if err != nil && strings.Contains(err.Error(), "AlreadyInOrganizationException") {
		id, err = s.AWS(ctx, "organizations", "describe-organization", "--query", "Organization.Id", "--output", "text")
	}
	if err != nil {
		return "", fmt.Errorf("make the organisation: %w", err)
	}
	return id, nil
}

// Join makes an account a member of the organisation.
func (c *Cloud) Join(ctx context.Context, account string) error {
	shaken, err := c.Root().In(Region).AWS(ctx, "organizations", "invite-account-to-organization", "--target", "Type=ACCOUNT,Id="+account, "--query", "Handshake.Id", "--output", "text")
	if err == nil {
		_, err = c.RootOf(account).In(Region).AWS(ctx, "organizations", "accept-handshake", "--handshake-id", shaken)
	}
	if err != nil {
		return fmt.Errorf("let account %s join the organisation: %w", account, err)
	}
	return nil
}
