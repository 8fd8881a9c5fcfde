"""Announcements for screen readers, which read a change aloud only inside a live region.

A live region must be in the page before its text changes, and no widget of ipywidgets has one. So the page
gets one region for all widgets, and one for errors, which interrupt what is being read; they also outlive a
view that is replaced at the end of its task. An inline handler fills them, without a script that would have
to be loaded; where the page runs no handlers, nothing is announced. Several views of a sender announce once.
"""

from __future__ import annotations

from .html import Markup, plain_line, run_in_page

__all__ = ["announcement"]

#: The first text of a sender is only remembered, because it is as old as the page or older.
_HANDLER = (
    "const d=document,t=this.dataset,w=window.qingboAnnounced??={};"
    "const[s,a]=[['qingbo-announcements','status'],['qingbo-alerts','alert']].map(([i,role])=>{"
    "let r=d.getElementById(i);"
    "if(!r){r=d.createElement('div');r.id=i;r.setAttribute('role',role);"
    "r.style.cssText='position:fixed;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)';"
    "d.body.append(r)}"
    "return r});"
    "if(t.sender in w&&w[t.sender]!==t.text){"
    "s.textContent='urgent'in t?'':t.text;a.textContent='urgent'in t?t.text:''}"
    "w[t.sender]=t.text"
)


def announcement(sender: str, text: object = "", *, is_urgent: bool = False) -> Markup:
    """Return invisible HTML that makes the page announce a text once.

    Args:
        sender: an identifier of what the text is about. Its first text in a page is not announced.
        text: the text; an empty one takes back the last.
        is_urgent: whether it interrupts what is being read, as an error does.
    """
    urgent = {"data_urgent": ""} if is_urgent else {}
    return run_in_page(_HANDLER, data_sender=sender, data_text=plain_line(text), **urgent)
