package transport

import (
	"net/http"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

type sayBody struct {
	Text need[string] `json:"text" minLength:"1" maxLength:"4000" doc:"1 to 4000 Unicode code points."`
}

type messageAnswer struct {
	Message easel.Message `json:"message"`
}

type messagesAnswer struct {
	Messages []easel.Message `json:"messages"`
}

func messageRoutes() []Route {
	return []Route{
		{
			Method: http.MethodGet, Path: "/api/images/{id}/messages", Tag: "Messages", Summary: "The last 100 messages of the room's chat, newest first",
			Access: Token, Role: easel.Viewer, Params: readParams(Param{"after", "query", "string", "Only those after the message with this id."}),
			Answer: jsonAnswer[messagesAnswer](http.StatusOK, "X-Easel-Version"), serve: (*call).listMessages,
		},
		{
			Method: http.MethodPost, Path: "/api/images/{id}/messages", Tag: "Messages", Summary: "Say something in the room",
			Access: Token, Role: easel.Annotator, Body: jsonBody[sayBody](), Answer: jsonAnswer[messageAnswer](http.StatusCreated),
			Errors: []easel.Code{easel.CodeRateLimited}, serve: (*call).say,
		},
	}
}

func (c *call) listMessages() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	after, err := c.query.id("after")
	if err != nil {
		return err
	}
	// Chat has no version of its own; what is told is one that the messages are
	// at least as new as.
	if _, err := readImage(c, id, canvas.Look{}, imageVersion); err != nil {
		return err
	}
	reply, err := askImage[canvas.MessagesReply](c, id, canvas.Messages{After: after}, actors.Once{})
	if err != nil {
		return err
	}
	return c.answer(messagesAnswer{Messages: list(reply.Messages)})
}

func (c *call) say() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	in, body, err := decode[sayBody](c)
	if err != nil {
		return err
	}
	if err := c.spend("", 1); err != nil {
		return err
	}
	reply, err := askImage[canvas.Said](c, id, canvas.Say{By: c.author(), Text: in.Text.Value}, c.once(body))
	if err != nil {
		return err
	}
	return c.answer(messageAnswer{reply.Message})
}
