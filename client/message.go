package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/easelhq/easel"
)

// Message is a line of an image's chat.
type Message struct {
	ID   easel.ID   `json:"id"`
	By   string     `json:"by"`
	At   easel.Time `json:"at"`
	Text string     `json:"text"`
}

// Messages returns the last 100 messages of an image's chat, newest first; only
// those after one, unless that is "".
func (c *Client) Messages(ctx context.Context, image, after easel.ID) ([]Message, error) {
	query := url.Values{}
	if after != "" {
		query.Set("after", string(after))
	}
	var out struct{ Messages []Message }
	_, err := c.call(ctx, request{method: http.MethodGet, path: imagePath(image) + "/messages", query: query}, &out)
	return out.Messages, err
}

// Say writes to an image's chat.
func (c *Client) Say(ctx context.Context, image easel.ID, text string) (Message, error) {
	body, err := encode(map[string]string{"text": text})
	if err != nil {
		return Message{}, err
	}
	var out struct{ Message Message }
	_, err = c.call(ctx, request{method: http.MethodPost, path: imagePath(image) + "/messages", body: body}, &out)
	return out.Message, err
}
